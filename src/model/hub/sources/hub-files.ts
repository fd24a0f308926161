import { listFiles, modelInfo } from "@huggingface/hub";
import type { Environment } from "../../engine/local/index.ts";
import { isModelFile } from "../model-files.ts";

/** A file of a repository on the model hub, with what it must turn out to be. */
export interface HubFile {
  readonly path: string;
  readonly url: string;
  readonly size: number;
  /** SHA-256 of large files; of small ones git's own SHA-1, which begins with their size. */
  readonly digest: { readonly kind: "sha256" | "git"; readonly value: string };
}

export interface HubModel {
  readonly revision: string;
  readonly files: readonly HubFile[];
}

/** A hub that says nothing for so long counts as out of reach. */
const answerMs = 6000;

export function hubAddress({ HF_ENDPOINT: endpoint }: Environment): string {
  return (endpoint || "https://huggingface.co").replace(/\/+$/, "");
}

/** Who asks: private repositories and rate limits look at it. */
export function hubToken({ HF_TOKEN: token }: Environment): string | undefined {
  return token?.startsWith("hf_") ? token : undefined;
}

/** Asks the model hub for the files of a model at its newest commit. Throws whatever keeps it from answering. */
export async function findOnHub(
  repository: string,
  environment: Environment,
  signal?: AbortSignal,
): Promise<HubModel> {
  const limit = AbortSignal.timeout(answerMs);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const hubUrl = hubAddress(environment);
  const accessToken = hubToken(environment);
  const shared = {
    hubUrl,
    ...(accessToken === undefined ? {} : { accessToken }),
    fetch: (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
      fetch(input, { ...init, signal: either }),
  };
  const { sha: revision } = await modelInfo({ name: repository, additionalFields: ["sha"], ...shared });
  const files: HubFile[] = [];
  for await (const { type, path, size, oid, lfs } of listFiles({ repo: repository, revision, ...shared })) {
    if (type !== "file" || !isModelFile(path)) continue;
    files.push({
      path,
      url: `${hubUrl}/${repository}/resolve/${revision}/${path}`,
      size: lfs?.size ?? size,
      digest: lfs ? { kind: "sha256", value: lfs.oid } : { kind: "git", value: oid ?? "" },
    });
  }
  return { revision, files };
}
