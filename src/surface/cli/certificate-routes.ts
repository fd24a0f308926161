import { buildCommand, buildRouteMap } from "@stricli/core";
import type {
  CheckCertificateFlags,
  OpenCertificateFlags,
  ShowCertificateFlags,
  SignCertificateFlags,
} from "./commands/certificate.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { argument, folder, json, needed, text, texts } from "./route-parts.ts";

const [place] = folder("A project folder; default here").parameters;
const run = text("RUN", "A run by its name in `whetstone status --json`; default the last one");

const show = buildCommand<ShowCertificateFlags, [string?, string?], CliContext>({
  loader: async () => (await import("./commands/certificate.ts")).showCertificateCommand,
  parameters: {
    flags: { run, json },
    positional: {
      kind: "tuple",
      parameters: [
        { ...needed("ROUND", "A round that was promoted; default the newest"), optional: true },
        place,
      ],
    },
  },
  docs: {
    brief: "Show the certificate of a promotion, and what a check says of it",
    fullDescription: describe({
      text: "Reads the ledger and disturbs nothing. The file to give away lies in .whetstone/certificates.",
      examples: [
        ["whetstone certificate show", "of the newest promotion in this folder"],
        ["whetstone certificate show 3 examples/reverse --json", "for programs"],
      ],
    }),
  },
});

const check = buildCommand<CheckCertificateFlags, [string], CliContext>({
  loader: async () => (await import("./commands/certificate.ts")).checkCertificateCommand,
  parameters: {
    flags: {
      replay: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Measure again on freshly loaded weights, and compare",
      },
      publicKey: text("FILE", "The ed25519 public key, in PEM, that must have signed it"),
      folder: text("FOLDER", "For --replay: a folder with the run's config, or the config; default here"),
      weights: texts(
        "FOLDER",
        "For --replay: a folder with the weights, such as an exported one; may be given again",
      ),
      json,
    },
    positional: argument("FILE", "A certificate"),
  },
  docs: {
    brief: "Say claim by claim what of a certificate is verified, recomputed or taken on trust",
    customUsage: [
      "[--public-key FILE] [--json] FILE",
      "--replay [--folder FOLDER] [--weights FOLDER]… [--json] FILE [--PARAMETER VALUE]…",
    ],
    fullDescription: describe({
      text: "Needs the file alone, on any machine. The exit code is 6 where something contradicts it; each contradiction names its\nfield. --replay needs the run's config and the weights, which are known by their hashes.",
      examples: [
        ["whetstone certificate check 1-reverse-round-3.json", "a file that you were given"],
        ["whetstone certificate check FILE --public-key their.pem --json", "for programs, signed by them"],
        ["whetstone certificate check FILE --replay --weights ./better --weights ./before", "measured again"],
      ],
    }),
  },
});

const open = buildCommand<OpenCertificateFlags, [string, string?], CliContext>({
  loader: async () => (await import("./commands/certificate.ts")).openCertificateCommand,
  parameters: {
    flags: { reason: text("TEXT", "Why, for those who read later certificates; needed"), run, json },
    positional: { kind: "tuple", parameters: [needed("ROUND", "A round that was promoted"), place] },
  },
  docs: {
    brief: "Open results that are sealed since their items are used again, on the record",
    fullDescription: describe({
      text: "Where decision items are few, every opening of the gate uses them all, and its results stay sealed. Whoever looks at\nthem knows more than promoted or not: what later openings on these items promote is not bounded any more, and their\ncertificates say so. Open them when the openings are spent.",
      examples: [
        ['whetstone certificate open 2 --reason "for a reviewer"', "writes a file with the results in it"],
      ],
    }),
  },
});

const sign = buildCommand<SignCertificateFlags, [string], CliContext>({
  loader: async () => (await import("./commands/certificate.ts")).signCertificateCommand,
  parameters: {
    flags: { key: text("FILE", "Your ed25519 private key in PEM; needed"), json },
    positional: argument("FILE", "A certificate; it is signed in its place"),
  },
  docs: {
    brief: "Sign a certificate with ed25519",
    fullDescription: describe({
      text: "Whoever has your public key can then tell that it is yours, and unchanged.",
      examples: [
        ["whetstone certificate sign FILE --key key.pem", "with a key that you have"],
        ["openssl genpkey -algorithm ed25519 -out key.pem", "makes one, once"],
        ["openssl pkey -in key.pem -pubout -out public.pem", "its public half, to give away"],
      ],
    }),
  },
});

export const certificateRoutes = buildRouteMap<"show" | "check" | "open" | "sign", CliContext>({
  routes: { show, check, open, sign },
  docs: {
    brief: "Show, check, open and sign certificates of promotions",
    fullDescription: describe({
      text: "Each promotion leaves one in .whetstone/certificates: what it rests on, for a stranger to check without this folder.",
      examples: [
        ["whetstone certificate check FILE", "on any machine"],
        ["whetstone certificate show --json", "of the newest promotion, for programs"],
      ],
    }),
  },
});
