/** The open file: its name, who else has it open, and its text. */
import { fileText } from "../files/listing";
import { Icon } from "../layout/Icon";
import { SHORTCUTS } from "../layout/shortcuts";
import { useRoom, useSession } from "../store/context";
import { CodeEditor } from "./CodeEditor";
import { describeLanguage } from "./languages";

function Welcome() {
  const session = useSession();
  const loaded = useRoom((state) => state.loaded);
  const empty = useRoom((state) => state.files.length === 0);
  if (!loaded) return <div className="empty"><p className="muted">Opening the room…</p></div>;
  return (
    <div className="empty">
      <Icon name="spark" size={32} />
      <h2>{empty ? "This room is empty" : "No file is open"}</h2>
      {empty ? (
        <p>
          Create a file, drop a folder or a zip anywhere on this page, or ask the AI to write the first lines. All who
          have this page's address work on the same files.
        </p>
      ) : (
        <p>Choose one in the list of files.</p>
      )}
      <div className="row">
        <button type="button" className="button" onClick={() => session.show("files")}>
          Files
        </button>
        <button type="button" className="button primary" onClick={() => session.show("ai")}>
          Ask the AI
        </button>
      </div>
    </div>
  );
}

export function EditorPanel() {
  const session = useSession();
  const file = useRoom((state) => state.files.find((one) => one.id === state.openFile) ?? null);
  const people = useRoom((state) => state.people);
  const blame = useRoom((state) => state.blame);
  const text = file ? fileText(session.doc, file.id) : null;
  if (!file || !text) return <Welcome />;
  const here = people.filter((one) => one.file === file.id && !one.self);
  const parts = file.shown.split("/");
  return (
    <>
      <div className="file-bar">
        <h2 className="path" title={file.shown} data-testid="open-path">
          {parts.slice(0, -1).map((part, index) => (
            <span key={index} className="muted">
              {part}
              <span className="slash">/</span>
            </span>
          ))}
          <span>{parts.at(-1)}</span>
        </h2>
        <span className="grow" />
        <span className="here" aria-label={here.length ? `Also here: ${here.map((one) => one.name).join(", ")}` : undefined}>
          {here.slice(0, 6).map((one) => (
            <span key={one.client} className="dot" title={one.name} style={{ background: one.color }} />
          ))}
        </span>
        <button
          type="button"
          className="icon-button"
          data-testid="blame-toggle"
          title={`Who wrote what (${SHORTCUTS.blame})`}
          aria-label="Who wrote what"
          aria-pressed={blame}
          aria-keyshortcuts={SHORTCUTS.blame}
          onClick={() => session.toggleBlame()}
        >
          <Icon name="margin" />
        </button>
        <span className="muted small wide-only">{describeLanguage(file.shown)?.name ?? "Plain text"}</span>
      </div>
      <div className="editor" data-testid="editor" data-file={file.id}>
        <CodeEditor file={file.id} path={file.shown} text={text} />
      </div>
    </>
  );
}
