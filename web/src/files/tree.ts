/** The tree of folders that the paths of the files make, and the rows that are visible of it. */
import type { RoomFile } from "./listing";

export interface Folder {
  kind: "folder";
  name: string;
  path: string;
  children: Node[];
}

export interface Leaf {
  kind: "file";
  name: string;
  /** Shown path. */
  path: string;
  id: string;
}

export type Node = Folder | Leaf;

export interface Row {
  node: Node;
  /** From 1, as `aria-level`. */
  level: number;
  expanded: boolean;
  /** Place among its siblings, from 1. */
  position: number;
  siblings: number;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(a: Node, b: Node): number {
  if (a.kind !== b.kind) return a.kind === "folder" ? -1 : 1;
  return collator.compare(a.name, b.name) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** Folders first, then files, each by name with numbers in their order. */
export function buildTree(files: readonly RoomFile[]): Node[] {
  const root: Folder = { kind: "folder", name: "", path: "", children: [] };
  const folders = new Map<string, Folder>([["", root]]);
  const folderAt = (path: string): Folder => {
    const known = folders.get(path);
    if (known) return known;
    const slash = path.lastIndexOf("/");
    const folder: Folder = { kind: "folder", name: path.slice(slash + 1), path, children: [] };
    folderAt(path.slice(0, Math.max(0, slash))).children.push(folder);
    folders.set(path, folder);
    return folder;
  };
  for (const file of files) {
    const slash = file.shown.lastIndexOf("/");
    const parent = folderAt(file.shown.slice(0, Math.max(0, slash)));
    parent.children.push({ kind: "file", name: file.shown.slice(slash + 1), path: file.shown, id: file.id });
  }
  for (const folder of folders.values()) folder.children.sort(compare);
  return root.children;
}

/** The rows that are to be seen, given which folders are open. */
export function visibleRows(nodes: readonly Node[], isOpen: (folder: string) => boolean, level = 1): Row[] {
  return nodes.flatMap((node, index) => {
    const expanded = node.kind === "folder" && isOpen(node.path);
    const row: Row = { node, level, expanded, position: index + 1, siblings: nodes.length };
    return expanded ? [row, ...visibleRows((node as Folder).children, isOpen, level + 1)] : [row];
  });
}

/** The folders above a path, outermost first: `a/b/c.py` gives `a`, `a/b`. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
