/** Ground, type, and how sections lie. */
export const pageStyle = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--ink);font:400 1rem/1.55 var(--sans);font-feature-settings:"tnum" 1,"cv11" 1}
.page{max-width:75rem;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem) 4rem}
h1,h2,h3,p,dl,dd,ul,ol,figure,table{margin:0}
h2{font-size:1.3rem;line-height:1.25;font-weight:650;letter-spacing:-.012em;text-wrap:balance}
h3{font-size:.95rem;line-height:1.35;font-weight:620}
a{color:var(--accent);text-underline-offset:.18em}
a:focus-visible,summary:focus-visible,.scroll:focus-visible,.said:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem .8rem;z-index:5}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.quiet{color:var(--quiet)}
.small{font-size:.85rem;line-height:1.5}
.number{font-variant-numeric:tabular-nums;white-space:nowrap}
.masthead{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .9rem;padding:1.5rem 0 1.25rem;border-bottom:1px solid var(--line)}
.masthead .mark{width:1.5rem;height:1.5rem;flex:none;color:var(--accent)}
.masthead h1{font-size:1.05rem;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
.masthead .when{margin-left:auto;color:var(--quiet);font-size:.85rem}
.notice{margin-top:1.25rem;padding:.75rem 1rem;border-radius:.6rem;background:var(--warn-ground);color:var(--warn);font-size:.95rem}
.verdict dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.35rem 1.1rem}
.verdict dt{font-weight:620;white-space:nowrap}
.verdict dd{max-width:52rem;color:var(--ink)}
.hero{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr);gap:2rem clamp(1.5rem,5vw,4rem);padding:2.5rem 0 2rem;align-items:center}
.eyebrow{color:var(--quiet);font-size:.9rem}
.headline{font-size:clamp(3rem,9vw,5.25rem);line-height:1;font-weight:680;letter-spacing:-.045em;margin:.35rem 0 .6rem;font-variant-numeric:tabular-nums}
.headline small{font-size:.3em;font-weight:560;letter-spacing:-.01em;margin-left:.3em;color:var(--quiet)}
.headline.words{font-size:clamp(2rem,5.5vw,3.1rem);letter-spacing:-.03em;line-height:1.08}
.gain .headline{color:var(--good)}
.loss .headline{color:var(--bad)}
.interval{font-weight:560}
.hero .why{color:var(--quiet);margin-top:.75rem;max-width:34rem;font-size:.95rem}
.range{display:block;width:100%;max-width:26rem;height:auto;margin:.9rem 0 0;overflow:visible}
.tiles{display:grid;grid-template-columns:1fr 1fr;gap:1px;background:var(--line);border:1px solid var(--line);border-radius:.9rem;overflow:hidden}
.tiles div{background:var(--card);padding:1rem 1.1rem 1.05rem}
.tiles dt{font-size:.8rem;color:var(--quiet)}
.tiles dd{font-size:1.5rem;line-height:1.25;font-weight:640;letter-spacing:-.02em;font-variant-numeric:tabular-nums;margin-top:.15rem}
.tiles dd small{display:block;font-size:.78rem;font-weight:400;letter-spacing:0;color:var(--quiet);line-height:1.4;margin-top:.2rem}
.tiles .kind{display:flex;justify-content:space-between;gap:.8rem;font-size:.95rem;font-weight:400;letter-spacing:0;min-width:0}
.tiles .kind span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.tiles .kind b{font-weight:640;white-space:nowrap}
.contents{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:.75rem 0;border-block:1px solid var(--line);font-size:.88rem}
.contents a{color:var(--quiet);text-decoration:none}
.contents a:hover{color:var(--ink);text-decoration:underline}
section.part{padding-top:2.75rem}
.part>header{max-width:46rem;margin-bottom:1.1rem}
.part>header p{color:var(--quiet);margin-top:.3rem;font-size:.95rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:1.1rem 1.2rem}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.82rem}
@media (max-width:46rem){.hero{grid-template-columns:1fr;padding-top:1.75rem}.masthead .when{margin-left:0;width:100%}.contents{gap:.25rem .9rem}}
@media print{body{background:#fff;font-size:10pt}.contents,.skip{display:none}.card,.tiles,tr,figure{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}details>*{display:block}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
