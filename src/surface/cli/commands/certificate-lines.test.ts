import { expect, test } from "vitest";
import type { CertificateCheck } from "../../../loop/run/check-certificate.ts";
import { certificateLines } from "./certificate-lines.ts";

test("what is contradicted is not told as if it were so", () => {
  const check: CertificateCheck = {
    file: "c.json",
    run: "1-x",
    round: 2,
    hash: "abc",
    verdict: "contradicted",
    counts: { verified: 1, recomputed: 0, trusted: 0, contradicted: 1 },
    claims: [
      { claim: "form", status: "verified", words: "it is one", fields: [], contradictions: [] },
      {
        claim: "seals",
        status: "contradicted",
        words: "nothing was changed",
        fields: [],
        contradictions: [{ field: "hash", words: "is another" }],
      },
    ],
  };
  const lines = certificateLines(check);
  expect(lines).toContain("  form: it is one");
  expect(lines).toContain("  seals: it is claimed, and is not so, that nothing was changed");
  expect(lines).toContain("    hash is another");
});
