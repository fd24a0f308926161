import { DatabaseSync } from "node:sqlite";

const sqliteBusy = 5;

/**
 * Takes a lock that the kernel holds for this process and frees when it dies, however it dies: an exclusive transaction on
 * an otherwise empty SQLite file. Undefined while another holds it, also another holder in this process. `timeoutMs` is
 * how long a lock that is being tested by {@link isLocked} is waited for.
 */
export function tryLockFile(path: string, timeoutMs = 0): Disposable | undefined {
  const database = new DatabaseSync(path, { timeout: timeoutMs });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return { [Symbol.dispose]: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
}

/** Whether somebody holds the lock now; takes nothing. */
export function isLocked(path: string): boolean {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    database.prepare("SELECT count(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === sqliteBusy) return true;
    throw error;
  } finally {
    database.close();
  }
}
