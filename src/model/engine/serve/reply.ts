import { isWhetstoneError, messageOf, userError } from "../../../foundation/base/index.ts";

/** One HTTP answer. */
export interface Reply {
  readonly status: number;
  readonly type: "application/json" | "application/x-protobuf";
  readonly body: string | Uint8Array;
  /** Where this says only that something was begun. */
  readonly requestId?: string;
}

export const jsonReply = (value: object, status = 200): Reply => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});

/** That something was begun, and under which id its result is found. */
export const begunReply = (requestId: string, more: object = {}): Reply => ({
  ...jsonReply({ ...more, request_id: requestId }),
  requestId,
});

export const protobufReply = (body: Uint8Array): Reply => ({
  status: 200,
  type: "application/x-protobuf",
  body,
});

/** Engine errors that whoever made the call can mend. */
const ofTheCaller = new Set([
  "bad-request",
  "token-out-of-range",
  "too-long",
  "impossible-target",
  "non-finite-loss",
  "non-finite-logits",
  "non-finite-gradient",
]);

/** The API's two words for whose fault it was. */
export function categoryOf(error: unknown): "user" | "server" {
  if (!isWhetstoneError(error)) return "server";
  return error.category === "user" || ofTheCaller.has(error.code) ? "user" : "server";
}

interface Fault {
  readonly error: string;
  readonly category: "user" | "server";
  readonly code: string;
}

/** An error in the API's form; of what is no named error only that there was one. */
export function faultOf(error: unknown): Fault {
  const named = isWhetstoneError(error);
  return {
    error: named ? error.message : `The server failed (${messageOf(error)}); its log says more.`,
    category: categoryOf(error),
    code: named ? error.code : "internal",
  };
}

/**
 * A refusal that the SDK raises at once. Never a status from 500 up, which it would try again for minutes without a word,
 * whoever's fault it is; and never without a body, which it takes for a proxy's fault.
 */
export const refusal = (error: unknown, status = 400): Reply => jsonReply(faultOf(error), status);

/** An operation that failed is an HTTP success that says so: its number is used up. */
export const failure = (error: unknown): Reply => jsonReply(faultOf(error));

export const notFound = (what: string): Reply => refusal(userError("not-found", what), 404);
