/** Collects what a person dropped or chose: files with their paths, read lazily. */

export interface Picked {
  /** Relative path; the first part is the folder's own name if a folder was picked. */
  path: string;
  file: File;
}

/** A directory that is read part by part, so that ignored ones are never walked. */
export interface PickedFolder {
  name: string;
  entry: FileSystemDirectoryEntry;
}

export interface Dropped {
  files: Picked[];
  folders: PickedFolder[];
}

export function fromInput(list: FileList | null): Picked[] {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Must be called while the drop event is handled: the browser forgets its items afterwards. */
export function fromDrop(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const folders: PickedFolder[] = [];
  const files: Picked[] = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) folders.push({ name: entry.name, entry: entry as FileSystemDirectoryEntry });
    else if (file) files.push({ path: file.name, file });
  }
  return Promise.resolve({ files, folders });
}

export async function readFolder(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // Browsers give at most 100 entries at a time, and an empty list at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

export function readEntry(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
