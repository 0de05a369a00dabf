/** The tree of files. One stop for the Tab key; arrows move, Enter opens, F2 renames, Delete deletes. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { ConfirmDialog } from "../layout/Dialog";
import { useRoom, useSession } from "../store/context";
import { deleteFiles, renameFile, renameFolder } from "./changing";
import { FileRow } from "./FileRow";
import { buildTree, foldersAbove, visibleRows, type Node, type Row } from "./tree";
import { useWindow } from "./useWindow";

/** Rooms with more files than this start with their folders closed. */
const OPEN_ALL = 150;

const keyOf = (node: Node): string => (node.kind === "file" ? `f:${node.id}` : `d:${node.path}`);

export function FileTree() {
  const session = useSession();
  const files = useRoom((state) => state.files);
  const openFile = useRoom((state) => state.openFile);
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [active, setActive] = useState<string | null>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<Node | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const moveFocus = useRef(false);

  const openAll = files.length <= OPEN_ALL;
  const tree = useMemo(() => buildTree(files), [files]);
  const rows = useMemo(() => visibleRows(tree, (path) => chosen.get(path) ?? openAll), [tree, chosen, openAll]);
  const shown = useWindow(list, rows.length);
  const activeIndex = Math.max(0, rows.findIndex((row) => keyOf(row.node) === active));

  const setOpen = (path: string, open: boolean): void => {
    setChosen((before) => new Map(before).set(path, open));
  };

  // The open file is the active row, and its folders are open.
  useEffect(() => {
    const file = files.find((one) => one.id === openFile);
    if (!file) return;
    for (const folder of foldersAbove(file.shown)) setOpen(folder, true);
    setActive(`f:${file.id}`);
    // Only when another file is opened: people may close its folder afterwards.
  }, [openFile]);

  // After every drawing, since a row far away is drawn only once the list has scrolled to it.
  useLayoutEffect(() => {
    if (!moveFocus.current) return;
    shown.reveal(activeIndex);
    const row = list.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]');
    if (!row) return;
    moveFocus.current = false;
    row.focus({ preventScroll: true });
  });

  const go = (index: number): void => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (!row) return;
    moveFocus.current = true;
    setActive(keyOf(row.node));
  };

  const activate = ({ node, expanded }: Row): void => {
    setActive(keyOf(node));
    if (node.kind === "folder") setOpen(node.path, !expanded);
    else session.open(node.id);
  };

  const parentOf = (index: number): number => {
    const level = rows[index]?.level ?? 1;
    for (let above = index - 1; above >= 0; above -= 1) if (rows[above]!.level < level) return above;
    return index;
  };

  const keys = (event: KeyboardEvent): void => {
    const row = rows[activeIndex];
    if (!row || renaming !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    const folder = row.node.kind === "folder" ? row.node : null;
    switch (event.key) {
      case "ArrowDown":
        go(activeIndex + 1);
        break;
      case "ArrowUp":
        go(activeIndex - 1);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(rows.length - 1);
        break;
      case "ArrowRight":
        if (folder && !row.expanded) setOpen(folder.path, true);
        else if (folder) go(activeIndex + 1);
        break;
      case "ArrowLeft":
        if (folder && row.expanded) setOpen(folder.path, false);
        else go(parentOf(activeIndex));
        break;
      case "Enter":
      case " ":
        activate(row);
        break;
      case "F2":
        setRenaming(keyOf(row.node));
        break;
      case "Delete":
        setDeleting(row.node);
        break;
      default: {
        if (event.key.length !== 1) return;
        const after = [...rows.slice(activeIndex + 1), ...rows.slice(0, activeIndex + 1)];
        const found = after.find((one) => one.node.name.toLowerCase().startsWith(event.key.toLowerCase()));
        if (found) go(rows.indexOf(found));
      }
    }
    event.preventDefault();
  };

  const inside = (node: Node): string[] =>
    node.kind === "file" ? [node.id] : files.filter((file) => file.shown.startsWith(`${node.path}/`)).map((file) => file.id);

  const focusActive = (): void => {
    moveFocus.current = true;
    setRenaming(null);
  };

  return (
    <>
      <ul className="tree" role="tree" aria-label="Files" data-testid="file-tree" ref={list} onKeyDown={keys} onScroll={shown.scrolled}>
        {shown.before > 0 && <li role="presentation" style={{ height: shown.before }} />}
        {rows.slice(shown.from, shown.to).map((row, index) => {
          const key = keyOf(row.node);
          return (
            <FileRow
              key={key}
              row={row}
              active={shown.from + index === activeIndex}
              open={row.node.kind === "file" && row.node.id === openFile}
              renaming={renaming === key}
              activate={() => activate(row)}
              focused={() => setActive(key)}
              startRename={() => {
                setActive(key);
                setRenaming(key);
              }}
              startDelete={() => setDeleting(row.node)}
              rename={(path) => {
                if (row.node.kind === "file") renameFile(session.doc, row.node.id, path);
                else renameFolder(session.doc, row.node.path, path);
              }}
              endRename={focusActive}
            />
          );
        })}
        {shown.after > 0 && <li role="presentation" style={{ height: shown.after }} />}
      </ul>
      {deleting && (
        <ConfirmDialog
          title={deleting.kind === "file" ? `Delete ${deleting.path}?` : `Delete the folder ${deleting.path}?`}
          text={
            deleting.kind === "file"
              ? "It is deleted for everybody in the room."
              : `Its ${inside(deleting).length} files are deleted for everybody in the room.`
          }
          action="Delete"
          confirm={() => deleteFiles(session.doc, inside(deleting))}
          close={() => setDeleting(null)}
        />
      )}
    </>
  );
}
