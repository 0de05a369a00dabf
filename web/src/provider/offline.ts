/**
 * Keeps a room's document in this browser, so that closing or reloading the page while the server is away
 * loses nothing.
 */
import { IndexeddbPersistence } from "y-indexeddb";
import type * as Y from "yjs";

/** A browser that is slow or unable to open its database must not keep the room from opening. */
const LOAD_MS = 3_000;

/** Loads the room's copy into the document and keeps it up to date. Resolves to false if it cannot. */
export async function keepOfflineCopy(room: string, doc: Y.Doc): Promise<boolean> {
  if (!(await canOpenDatabase())) return false;
  const copy = new IndexeddbPersistence(`pairloom:${room}`, doc);
  const loaded = copy.whenSynced.then(() => true);
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), LOAD_MS));
  return Promise.race([loaded, late]);
}

/** Private windows of some browsers offer IndexedDB but refuse to open a database. */
function canOpenDatabase(): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open("pairloom-probe", 1);
      request.onsuccess = () => {
        request.result.close();
        resolve(true);
      };
      request.onerror = (event) => {
        event.preventDefault();
        resolve(false);
      };
      request.onblocked = () => resolve(false);
    } catch (error) {
      console.warn("This browser keeps no offline copy.", error);
      resolve(false);
    }
  });
}

/** The number of edits that this tab has not seen saved; survives a reload of the tab. */
export class WaitingCount {
  readonly #key: string;

  constructor(
    room: string,
    private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> = sessionStorage,
  ) {
    this.#key = `pairloom.waiting.${room}`;
  }

  read(): number {
    const count = Number(this.storage.getItem(this.#key) ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  }

  write(count: number): void {
    if (count > 0) this.storage.setItem(this.#key, String(count));
    else this.storage.removeItem(this.#key);
  }
}
