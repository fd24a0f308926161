import { userError, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { AttendedTime } from "./steady-clock.ts";

/** What one client has here; all of it goes when nothing is heard of the client for long. */
export interface Session {
  readonly id: string;
  readonly displayName: string | null;
  readonly userMetadata: Readonly<Record<string, unknown>> | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly modelIds: Set<string>;
  readonly samplerIds: Set<string>;
  /** Aborts when it is ended: nobody waits for what it asked for. */
  readonly gone: AbortController;
  /** Attended milliseconds. */
  heardAt: number;
}

/** So many ends are remembered, of those that came last. */
const mostEnded = 10_000;

/** The clients, and when each was last heard. */
export class Sessions {
  readonly #all = new Map<string, Session>();
  readonly #ended = new Map<string, string>();
  readonly #attended: AttendedTime;

  constructor(attended: AttendedTime) {
    this.#attended = attended;
  }

  add(session: Omit<Session, "heardAt" | "modelIds" | "samplerIds" | "gone">): Session {
    const held = { modelIds: new Set<string>(), samplerIds: new Set<string>() };
    const whole: Session = {
      ...session,
      ...held,
      gone: new AbortController(),
      heardAt: this.#attended.value,
    };
    this.#all.set(session.id, whole);
    return whole;
  }

  /** Whatever a client asks for is a sign of its life. */
  hear(id: string): Session | undefined {
    const session = this.#all.get(id);
    if (session !== undefined) session.heardAt = this.#attended.value;
    return session;
  }

  /** Aborts when the session is ended; at once where there is none. */
  whileHere(id: string): AbortSignal {
    return this.#all.get(id)?.gone.signal ?? AbortSignal.abort(this.ended(id));
  }

  /** What is thrown for what a session asked for that is none any more. */
  ended(id: string): WhetstoneError {
    return userError("session-ended", this.endOf(id) ?? "The session was ended.");
  }

  /** Why it is no session any more, in words; undefined where it is one still, or never was. */
  endOf(id: string): string | undefined {
    return this.#ended.get(id);
  }

  all(): readonly Session[] {
    return [...this.#all.values()];
  }

  /** Takes out and returns the sessions that were silent for that long. */
  takeSilent(silenceMs: number): readonly Session[] {
    const now = this.#attended.value;
    const silent = this.all().filter(({ heardAt }) => now - heardAt > silenceMs);
    for (const { id } of silent)
      this.take(id, `Nothing was heard of the session ${id} for too long: it was ended.`);
    return silent;
  }

  /** Takes one out, for a reason that is told to whoever asks for it later. */
  take(id: string, reason: string): Session | undefined {
    const session = this.#all.get(id);
    if (session === undefined) return undefined;
    this.#all.delete(id);
    this.#ended.set(id, reason);
    const [first] = this.#ended.keys();
    if (first !== undefined && this.#ended.size > mostEnded) this.#ended.delete(first);
    return session;
  }
}

/** Ids of models and samplers begin with their session's. */
export const sessionOf = (id: string): string => id.split(":", 1)[0] as string;
