/**
 * A shadow at the edge beyond which a table goes on, without a script. It lies above the cells, which have colours of their own,
 * and fades as the end is reached: an animation that scrolling drives, and that runs only where there is something to scroll. Where a
 * browser has none, the shadow lies on the ground of the table, and a cover of the card's colour moves over it.
 */
const edgeShadows = `@media screen{.scroll{background:linear-gradient(to left,var(--card) 1.2rem,transparent) right/2.4rem 100% no-repeat local,linear-gradient(to right,var(--card) 1.2rem,transparent) left/2.4rem 100% no-repeat local,linear-gradient(to left,var(--shade),transparent) right/.9rem 100% no-repeat scroll,linear-gradient(to right,var(--shade),transparent) left/.9rem 100% no-repeat scroll}
@supports (animation-timeline:scroll()){.scroll{background:none;display:grid}
.scroll>table{grid-area:1/1;justify-self:start}
.scroll::before,.scroll::after{content:"";grid-area:1/1;position:sticky;z-index:2;width:1.1rem;opacity:0;pointer-events:none;animation:linear both;animation-timeline:scroll(inline)}
.scroll::before{left:-.25rem;justify-self:start;margin-left:-.25rem;background:linear-gradient(to right,var(--shade),transparent);animation-name:shade-left}
.scroll::after{right:-.25rem;justify-self:end;margin-right:-.25rem;background:linear-gradient(to left,var(--shade),transparent);animation-name:shade-right}
.scroll:has(.heat)::before{display:none}
@keyframes shade-left{from{opacity:0}12%,to{opacity:1}}
@keyframes shade-right{from,88%{opacity:1}to{opacity:0}}}}
`;

/** Tables, charts, chips, samples. */
export const partsStyle = `
.scroll{position:relative;overflow-x:auto;margin-inline:-.25rem;padding:.25rem;scrollbar-width:thin}
${edgeShadows}table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
.data{width:100%}
.data th,.data td{padding:.55rem .55rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
.data thead th{font-weight:520;color:var(--quiet);font-size:.8rem;white-space:nowrap;vertical-align:bottom}
.data tbody th{font-weight:560;white-space:nowrap}
.data tbody tr:last-child>*{border-bottom:0}
.data .end{text-align:right;white-space:nowrap}
.data td.why{min-width:16rem;max-width:30rem;overflow-wrap:anywhere}
.chip{display:inline-flex;align-items:center;gap:.35em;padding:.12rem .55rem;border-radius:99px;font-size:.8rem;font-weight:560;line-height:1.5;white-space:nowrap;background:var(--plain-ground);color:var(--quiet)}
.chip.good{background:var(--good-ground);color:var(--good)}
.chip.warn{background:var(--warn-ground);color:var(--warn)}
.chip.bad{background:var(--bad-ground);color:var(--bad)}
.heat{border-collapse:separate;border-spacing:2px}
.heat caption{text-align:left;color:var(--quiet);font-size:.85rem;padding-bottom:.5rem;caption-side:top}
.heat th{font-weight:500;color:var(--quiet);font-size:.8rem;padding:.1rem .3rem;text-align:center}
.heat thead .zone{border-bottom:2px solid var(--line);padding-bottom:.3rem;vertical-align:bottom;line-height:1.25}
.heat thead .zone span{display:inline-block;position:sticky;left:4.5rem}
.heat tbody th{text-align:left;white-space:nowrap;position:sticky;left:0;background:var(--card);padding-right:.7rem;color:var(--ink);z-index:1}
.heat tbody th.total{position:static}
.heat td{min-width:2.15rem;height:1.95rem;padding:0 .2rem;text-align:center;border-radius:4px;font-size:.8rem}
.heat.kinds td{min-width:4.5rem}
.heat.kinds td.side{min-width:3.2rem}
.heat.kinds thead th{max-width:12rem;overflow-wrap:anywhere}
.heat.low td{height:1.1rem;font-size:.7rem}
.heat.low tbody th{font-size:.75rem;line-height:1.2}
.heat.low .chip{font-size:.7rem;line-height:1.1}
.heat.slim{border-spacing:1px}
.heat.slim td{min-width:1.1rem;padding:0;font-size:0}
.heat.slim thead th{padding:.1rem 0;font-size:.68rem}
.heat.slim td.gap,.heat.low td.gap{min-width:.35rem}
.heat.slim td.side{font-size:.75rem;padding:0 .35rem}
.heat td.none{background:repeating-linear-gradient(45deg,var(--line) 0 1px,transparent 1px 5px)}
.heat td.side{background:none;white-space:nowrap;min-width:3.2rem;text-align:right;padding:0 .35rem;color:var(--ink)}
.heat td.side.left{text-align:left}
.heat .gap{min-width:.35rem;width:.35rem;padding:0;background:none}
.heat td.edge{position:relative;z-index:1;box-shadow:2px 0 0 var(--card),5px 0 0 var(--edge)}
.heat tbody.audit th,.heat tbody.audit td{border-top:0}
.heat tbody .split{padding:.9rem .3rem .25rem 0;text-align:left;color:var(--quiet);background:none;position:static}
.legend{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.5rem;margin-top:.9rem;font-size:.82rem;color:var(--quiet)}
.legend .scale{display:flex;align-items:center;gap:.5rem}
.legend .scale i{display:inline-block;width:.62rem;height:.9rem}
.legend .key{display:inline-block;width:.85rem;height:.9rem;box-shadow:2px 0 0 var(--card),5px 0 0 var(--edge);vertical-align:-.12rem;background:var(--heat-18);border-radius:3px;margin-right:.5rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17.5rem),1fr));gap:1rem}
.chart{padding:.95rem 1.1rem .8rem}
.chart figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:0 .8rem}
.chart figcaption .now{font-weight:620;font-variant-numeric:tabular-nums;white-space:nowrap}
.chart figcaption .now small{font-weight:400;color:var(--quiet);font-size:.8rem}
.chart figcaption .quiet{width:100%;font-size:.8rem}
.chart svg{display:block;width:100%;height:auto;margin-top:.5rem;overflow:visible}
svg text{font:500 11px var(--sans);fill:var(--quiet);font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--quiet);stroke-width:1;opacity:.6}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg .band{opacity:.16;stroke:none}
svg .dot{stroke-width:2}
svg .one{stroke:var(--series-one);color:var(--series-one)}
svg .two{stroke:var(--series-two);color:var(--series-two)}
svg .band.one{fill:var(--series-one)}
svg .band.two{fill:var(--series-two)}
svg .dot{fill:var(--card)}
svg .dot.full{fill:currentColor}
svg .label{font-weight:620}
svg .label.one{fill:var(--series-one);stroke:none}
svg .label.two{fill:var(--series-two);stroke:none}
.split-two{display:grid;align-items:start;grid-template-columns:minmax(0,1fr) minmax(0,1.1fr);gap:1rem}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.8rem;padding:0;list-style:none}
.sample dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.25rem .8rem;font-size:.88rem;margin-top:.55rem}
.sample dt{color:var(--quiet);font-size:.8rem;padding-top:.1rem}
.sample dd{font-family:var(--mono);white-space:pre-wrap;overflow-wrap:anywhere;max-height:14rem;overflow-y:auto;font-size:.84rem}
.sample mark{background:var(--bad-ground);color:var(--bad);border-radius:3px}
.sample .head{display:flex;justify-content:space-between;align-items:center;gap:.5rem;font-size:.85rem;color:var(--quiet)}
h4{font-size:.88rem;font-weight:620;margin:1.1rem 0 .5rem;overflow-wrap:anywhere}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr));gap:.8rem;padding:0;list-style:none;align-items:start}
.pair .head{display:flex;justify-content:space-between;align-items:baseline;gap:.3rem .8rem;flex-wrap:wrap;font-size:.85rem;color:var(--quiet)}
.pair .head b{font-family:var(--mono);font-weight:500;color:var(--ink);overflow-wrap:anywhere}
.pair .asked{margin:.55rem 0 .7rem;font-size:.9rem;white-space:pre-wrap;overflow-wrap:anywhere;max-height:12rem;overflow-y:auto}
.pair .sides{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}
.pair .sides.one{grid-template-columns:1fr}
.pair .sides>div{min-width:0}
.pair .who{font-size:.8rem;color:var(--quiet)}
.pair .who .good{color:var(--good)}.pair .who .bad{color:var(--bad)}
.pair .said{margin-top:.25rem;padding:.45rem .6rem;border-radius:.45rem;background:var(--plain-ground);font:400 .84rem/1.5 var(--mono);white-space:pre-wrap;overflow-wrap:anywhere;max-height:14rem;overflow-y:auto}
details{margin-top:.8rem}
summary{cursor:pointer;color:var(--accent);font-size:.9rem}
details[open]>summary{margin-bottom:.7rem}
.bar{display:flex;gap:2px;height:.85rem;min-width:9rem;margin-top:.3rem}
.bar i{display:block;min-width:1px;border-radius:2px}
.learn{background:var(--stage-learn)}.measure{background:var(--stage-measure)}.judge{background:var(--stage-judge)}.audit-part{background:var(--stage-audit)}.other{background:var(--stage-other)}
.legend .swatch{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem;vertical-align:-.08rem}
.guards td.cell{text-align:center;padding-inline:.3rem}
.facts{display:grid;grid-template-columns:minmax(8rem,auto) minmax(0,1fr);gap:.4rem 1.5rem;font-size:.9rem}
.facts dt{color:var(--quiet)}
.facts dd{overflow-wrap:anywhere}
code,pre{font-family:var(--mono);font-size:.84em}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5}
.limits{padding-left:1.2rem;max-width:48rem}
.limits li{padding-left:.2rem;margin-top:.5rem}
.limits li::marker{color:var(--quiet)}
.terms{columns:2 22rem;column-gap:2.5rem;font-size:.9rem}
.terms div{break-inside:avoid;padding-bottom:.8rem}
.terms dt{font-weight:600}
.terms dd{color:var(--quiet)}
@media (max-width:32rem){.pair .sides{grid-template-columns:1fr}}
@media print{.pair .asked,.pair .said,.sample dd{max-height:none}}
@media (max-width:46rem){.split-two{grid-template-columns:minmax(0,1fr)}.heat{border-spacing:1px}.heat thead th{font-size:.62rem;padding:.1rem 0}.heat thead abbr{display:none}.heat td{min-width:.92rem;padding:0;height:1.35rem;font-size:0;border-radius:2px}.heat td.side{font-size:.75rem;padding:0 .35rem}.heat tbody th{font-size:.75rem;padding-right:.4rem}
.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.6rem}.card{padding:1rem .9rem}}
`;
