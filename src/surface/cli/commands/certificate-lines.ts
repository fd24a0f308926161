import type { CertificateCheck, Claim, ClaimStatus } from "../../../loop/run/check-certificate.ts";

const headings: Readonly<Record<ClaimStatus, string>> = {
  contradicted: "CONTRADICTED",
  verified: "VERIFIED: against something that the file cannot choose",
  recomputed: "RECOMPUTED: from results that it states",
  trusted: "TAKEN ON TRUST: nothing here can test it",
};

/** A check for people: the verdict, then the claims by what could be said of them. */
export function certificateLines(check: CertificateCheck): string[] {
  const { run, round, hash, verdict, claims } = check;
  const what = run === null ? "This is no certificate" : `Certificate of round ${round} of ${run}, ${hash}`;
  const groups = (Object.keys(headings) as ClaimStatus[]).flatMap((status) => {
    const own = claims.filter((claim) => claim.status === status);
    return own.length === 0 ? [] : ["", headings[status], ...own.flatMap(claimLines)];
  });
  return [
    what,
    verdict === "holds" ? "Nothing contradicts it." : "It is contradicted: do not rely on it.",
    ...groups,
  ];
}

function claimLines({ claim, status, words, contradictions }: Claim): string[] {
  return [
    `  ${claim}: ${status === "contradicted" ? `it is claimed, and is not so, that ${words}` : words}`,
    ...contradictions.map((contradiction) => `    ${contradiction.field} ${contradiction.words}`),
  ];
}
