import { inTheWay, isWhetstoneError, messageOf, WhetstoneError } from "../base/index.ts";

/** Primary result codes of SQLite: https://sqlite.org/rescode.html. Extended codes carry them in their low byte. */
const sqlite = {
  busy: 5,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

const unwritable = new Set(["EACCES", "EROFS", "EPERM", "EEXIST", "ENOTDIR"]);

/** What is stored is not what was stored. */
export function corrupt(path: string, cause: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "ledger-corrupt",
    category: "environment",
    message: `${path} is damaged (${messageOf(cause)}): restore it from a copy, or move the folder .whetstone away to start anew.`,
    details: { path },
    cause,
  });
}

/** Names a fault of the disk or of the database; anything else is handed on as it is. */
export function ledgerFault(error: unknown, path: string): unknown {
  if (isWhetstoneError(error)) return error;
  const other = inTheWay(error, path);
  if (other !== undefined) return other;
  const { code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  const named = (name: string, message: string): WhetstoneError =>
    new WhetstoneError({ code: name, category: "environment", message, details: { path }, cause: error });
  if (primary === sqlite.full || code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return named(
      "no-space",
      `No space is left on the disk of ${path}. What was recorded before is whole: free some space and run the same command again.`,
    );
  if (primary === sqlite.corrupt || primary === sqlite.notADatabase) return corrupt(path, error);
  if (
    primary === sqlite.readOnly ||
    primary === sqlite.cannotOpen ||
    (code !== undefined && unwritable.has(code))
  )
    return named("folder-unwritable", `${path} cannot be written: choose a folder that is yours.`);
  if (primary === sqlite.inputOutput || code === "EIO")
    return named("disk-fault", `The disk failed at ${path} (${messageOf(error)}).`);
  if (primary === sqlite.busy)
    return named(
      "ledger-busy",
      `${path} is held by another program; close it and run the same command again.`,
    );
  return error;
}

/** Does the work; what it throws is named by {@link ledgerFault}. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw ledgerFault(error, path);
  }
}
