import { describe, expect, test } from "vitest";
import { escapeText, html, prose, raw, shortened } from "./html.ts";

describe("text", () => {
  test.each([
    [
      `</script><script>alert("1")</script>`,
      "&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;",
    ],
    ["a & b 'c' `d`", "a &amp; b &#39;c&#39; &#96;d&#96;"],
    ["&lt;", "&amp;lt;"],
    ["\0\x1b[31m\r\x7f\x85", "␀␛[31m␍␡⟨U+0085⟩"],
    ["one\ntwo\tthree", "one\ntwo\tthree"],
    ["abc\u202ecba", "abc⟨U+202E⟩cba"],
    ["\ud800x", "\ufffdx"],
    ["長さ λ 👩‍👩‍👧", "長さ λ 👩‍👩‍👧"],
  ])("%j", (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });
});

test("templates escape text, keep markup, join lists and leave out what is not there", () => {
  const inner = html`<b>${"<x>"}</b>`;
  expect(
    html`<p title="${`"><`}">${inner}${["<", 1, [html`<i></i>`]]}${null}${undefined}${false}</p>`.markup,
  ).toBe(`<p title="&quot;&gt;&lt;"><b>&lt;x&gt;</b>&lt;1<i></i></p>`);
  expect(html`<style>${raw("a>b{}")}</style>`.markup).toBe("<style>a>b{}</style>");
});

test("what stands between backticks is code; one without another is a text's own", () => {
  expect(html`<p>${prose("give `a <b>` or `c`.")}</p>`.markup).toBe(
    "<p>give <code>a &lt;b&gt;</code> or <code>c</code>.</p>",
  );
  expect(html`${prose("a ` alone")}`.markup).toBe("a &#96; alone");
});

test("long texts say how much was left out, and break no character", () => {
  expect(shortened("abc", 3)).toBe("abc");
  expect(shortened("abcdef", 4)).toBe("abcd… (2 more characters)");
  expect(shortened("👩👩", 3)).toBe("👩\ufffd… (1 more characters)");
});
