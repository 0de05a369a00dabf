import { Icon } from "../layout/Icon";
import { useRoom } from "../store/context";
import { NameField } from "./NameField";
import type { Row } from "./tree";

interface Props {
  row: Row;
  active: boolean;
  open: boolean;
  renaming: boolean;
  activate: () => void;
  focused: () => void;
  startRename: () => void;
  startDelete: () => void;
  rename: (path: string) => void;
  endRename: () => void;
}

/** One file or folder of the tree. */
export function FileRow({ row, active, open, renaming, activate, focused, startRename, startDelete, rename, endRename }: Props) {
  const { node, level } = row;
  const people = useRoom((state) => state.people);
  const here = node.kind === "file" ? people.filter((one) => !one.self && one.file === node.id) : [];
  const attributes =
    node.kind === "file" ? { "data-testid": "file-item", "data-path": node.path, "data-file": node.id } : { "data-testid": "folder-item", "data-path": node.path };
  return (
    <li
      role="treeitem"
      aria-level={level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={node.kind === "folder" ? row.expanded : undefined}
      aria-selected={open}
      aria-label={node.name}
      tabIndex={active && !renaming ? 0 : -1}
      className={open ? "tree-row open" : "tree-row"}
      style={{ paddingLeft: 8 + (level - 1) * 14 }}
      title={node.path}
      onFocus={focused}
      onClick={renaming ? undefined : activate}
      {...attributes}
    >
      {renaming ? (
        <NameField label={`New path of ${node.path}`} testid="rename-path" value={node.path} submit={rename} close={endRename} />
      ) : (
        <>
          <span className={row.expanded ? "twist expanded" : "twist"}>{node.kind === "folder" && <Icon name="chevron" size={12} />}</span>
          <Icon name={node.kind === "folder" ? "folder" : "file"} size={15} />
          <span className="tree-name">{node.name}</span>
          {here.slice(0, 3).map((one) => (
            <span key={one.client} className="dot small-dot" title={one.name} style={{ background: one.color }} />
          ))}
          <span className="tree-actions">
            <button type="button" tabIndex={-1} className="icon-button tiny" title="Rename (F2)" aria-label={`Rename ${node.path}`} data-testid="rename" onClick={(event) => (event.stopPropagation(), startRename())}>
              <Icon name="pencil" size={13} />
            </button>
            <button type="button" tabIndex={-1} className="icon-button tiny" title="Delete (Del)" aria-label={`Delete ${node.path}`} data-testid="delete" onClick={(event) => (event.stopPropagation(), startDelete())}>
              <Icon name="trash" size={13} />
            </button>
          </span>
        </>
      )}
    </li>
  );
}
