/** Brings files into the room: chooses them, zips them in the browser, sends them. */
import { Zip, ZipDeflate } from "fflate";
import { readEntry, readFolder, type Dropped, type Picked } from "./collecting";
import { IgnoreRules } from "./ignoring";

export interface LeftOut {
  path: string;
  reason: string;
}

export interface ImportResult {
  created: string[];
  updated: string[];
  unchanged: number;
  left_out: LeftOut[];
}

export interface Selected {
  files: Picked[];
  leftOut: LeftOut[];
}

export type Progress = (text: string) => void;

const IGNORED = "A .gitignore leaves it out.";

export function isZip(files: readonly Picked[]): boolean {
  const only = files.length === 1 ? files[0] : undefined;
  return only !== undefined && /\.zip$/i.test(only.file.name);
}

/** Folders of version control hold no text of the project. */
function isRepository(name: string): boolean {
  return name === ".git" || name === ".hg" || name === ".svn";
}

/** Walks dropped folders, honouring .gitignore, so that ignored folders are not even read. */
export async function selectDropped({ files, folders }: Dropped, progress: Progress): Promise<Selected> {
  const selected: Selected = { files: [...files], leftOut: [] };
  const walk = async (folder: FileSystemDirectoryEntry, prefix: string, rules: IgnoreRules): Promise<void> => {
    const entries = await readFolder(folder);
    const gitignore = entries.find((entry) => entry.isFile && entry.name === ".gitignore");
    if (gitignore) rules.add(prefix, await (await readEntry(gitignore as FileSystemFileEntry)).text());
    for (const entry of entries) {
      const path = prefix + entry.name;
      if (entry.isDirectory) {
        if (isRepository(entry.name)) continue;
        if (rules.ignores(`${path}/`)) selected.leftOut.push({ path: `${path}/`, reason: IGNORED });
        else await walk(entry as FileSystemDirectoryEntry, `${path}/`, rules);
      } else if (rules.ignores(path)) {
        selected.leftOut.push({ path, reason: IGNORED });
      } else {
        selected.files.push({ path, file: await readEntry(entry as FileSystemFileEntry) });
        if (selected.files.length % 100 === 0) progress(`Reading folders: ${selected.files.length} files`);
      }
    }
  };
  for (const { name, entry } of folders) await walk(entry, `${name}/`, new IgnoreRules());
  return selected;
}

/** The same for files that a file dialog gave, all at once. */
export async function selectPicked(files: readonly Picked[]): Promise<Selected> {
  const rules = new IgnoreRules();
  for (const { path, file } of files) {
    if (path.includes("/") && file.name === ".gitignore") {
      rules.add(path.slice(0, path.lastIndexOf("/") + 1), await file.text());
    }
  }
  const selected: Selected = { files: [], leftOut: [] };
  for (const one of files) {
    if (one.path.split("/").some(isRepository)) continue;
    if (rules.ignores(one.path)) selected.leftOut.push({ path: one.path, reason: IGNORED });
    else selected.files.push(one);
  }
  return selected;
}

/** The folder that all of the files are in, or null. */
export function commonFolder(files: readonly Picked[]): string | null {
  const first = files[0]?.path.split("/");
  if (!first || first.length < 2) return null;
  const prefix = `${first[0]}/`;
  return files.every(({ path }) => path.startsWith(prefix)) ? first[0]! : null;
}

/** Leaves out what is too large to be sent, so that it is not read. */
export function withoutLarge({ files, leftOut }: Selected, fileBytes: number | null): Selected {
  if (fileBytes === null) return { files, leftOut };
  const small = files.filter(({ file }) => file.size <= fileBytes);
  const large = files
    .filter(({ file }) => file.size > fileBytes)
    .map(({ path, file }) => ({ path, reason: `It has ${file.size.toLocaleString("en")} bytes; at most ${fileBytes.toLocaleString("en")} are allowed.` }));
  return { files: small, leftOut: [...leftOut, ...large] };
}

/** One zip of all files. Works without a worker, which the page's policy forbids, and lets the page breathe. */
export async function zipFiles(files: readonly Picked[], progress: Progress): Promise<Blob> {
  const parts: BlobPart[] = [];
  let failure: Error | null = null;
  const zip = new Zip((error, chunk) => {
    if (error) failure = error;
    else parts.push(chunk.slice());
  });
  for (const [index, { path, file }] of files.entries()) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const entry = new ZipDeflate(path, { level: 4 });
    zip.add(entry);
    entry.push(bytes, true);
    if (failure) throw failure;
    if (index % 50 === 0) {
      progress(`Packing: ${index + 1} of ${files.length} files`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(parts, { type: "application/zip" });
}

/** Sends a zip. `selected` says that .gitignore was honoured here already. Throws with the server's words. */
export async function sendZip(room: string, zip: Blob, selected: boolean): Promise<ImportResult> {
  const url = `/api/rooms/${encodeURIComponent(room)}/import${selected ? "?gitignore=0" : ""}`;
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/zip" }, body: zip });
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const message = (body as { error?: { message?: string } } | null)?.error?.message;
    throw new Error(message ?? `The server refused the import (status ${response.status}).`);
  }
  return body as ImportResult;
}
