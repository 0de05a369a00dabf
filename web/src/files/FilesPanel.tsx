/** The project's files: the tree, and what can be done with all of it. */
import { useRef, useState } from "react";
import { Icon } from "../layout/Icon";
import { SearchBox } from "../search/SearchBox";
import { useRoom, useSession } from "../store/context";
import { createFile } from "./changing";
import { FileTree } from "./FileTree";
import { NameField } from "./NameField";
import { folderOf } from "./paths";
import { fromInput } from "./collecting";
import { useImport } from "./importContext";

export function FilesPanel() {
  const session = useSession();
  const room = useRoom((state) => state.room);
  const count = useRoom((state) => state.files.length);
  const problems = useRoom((state) => state.problems);
  const open = useRoom((state) => state.files.find((file) => file.id === state.openFile));
  const [creating, setCreating] = useState(false);
  const bring = useImport();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const chosen = (input: HTMLInputElement): void => {
    const picked = fromInput(input.files);
    input.value = "";
    if (picked.length > 0) void bring(picked);
  };

  return (
    <div className="files">
      <div className="panel-head">
        <h2>Files</h2>
        <span className="muted small">{count > 0 && count.toLocaleString("en")}</span>
        <span className="grow" />
        <button type="button" className="icon-button" data-testid="new-file" title="New file" aria-label="New file" onClick={() => setCreating(true)}>
          <Icon name="plus" />
        </button>
        <button type="button" className="icon-button" title="Add files or a zip" aria-label="Add files or a zip" onClick={() => files.current?.click()}>
          <Icon name="upload" />
        </button>
        <button type="button" className="icon-button" title="Add a folder" aria-label="Add a folder" onClick={() => folder.current?.click()}>
          <Icon name="folder" />
        </button>
        <a
          className="icon-button"
          data-testid="export"
          title="Download all as a zip"
          aria-label="Download all as a zip"
          href={`/api/rooms/${encodeURIComponent(room)}/export`}
          download
        >
          <Icon name="download" />
        </a>
        <input ref={files} type="file" multiple hidden data-testid="import-input" onChange={(event) => chosen(event.target)} />
        <input
          ref={(input) => {
            folder.current = input;
            input?.setAttribute("webkitdirectory", "");
          }}
          type="file"
          multiple
          hidden
          data-testid="import-folder-input"
          onChange={(event) => chosen(event.target)}
        />
      </div>
      {creating && (
        <NameField
          label="Path of the new file"
          testid="new-file-path"
          value={open ? folderOf(open.shown) : ""}
          placeholder="src/app.py"
          submit={(path) => session.open(createFile(session.doc, path))}
          close={() => setCreating(false)}
        />
      )}
      <SearchBox>
        <FileTree />
      </SearchBox>
      {problems.length > 0 && (
        <details className="problems" data-testid="file-problems">
          <summary className="small">
            {problems.length === 1 ? "1 entry is no file and is not shown" : `${problems.length} entries are no files and are not shown`}
          </summary>
          <ul className="small">
            {problems.slice(0, 50).map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
