/** The page: three columns, or one panel at a time with tabs where the page is narrow. */
import { AiPanel } from "../ai/AiPanel";
import { EditorPanel } from "../editor/EditorPanel";
import { FilesPanel } from "../files/FilesPanel";
import { Importer } from "../files/Importer";
import { PeoplePanel } from "../people/PeoplePanel";
import { useRoom } from "../store/context";
import { Header } from "./Header";
import { Notices } from "./Notices";
import { TabBar } from "./TabBar";

function Ended() {
  const saving = useRoom((state) => state.saving);
  if (saving.kind !== "ended") return null;
  return (
    <div className="ended" role="alert">
      <span>{saving.reason}</span>
      <button type="button" className="button small" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

export function App() {
  const panel = useRoom((state) => state.panel);
  return (
    <Importer>
      <div className="app" data-panel={panel}>
        <Header />
        <Ended />
        <main className="columns">
          <div className="side">
            <section id="panel-files" className="panel" data-name="files" aria-label="Files">
              <FilesPanel />
            </section>
            <section id="panel-people" className="panel" data-name="people" aria-label="People">
              <PeoplePanel />
            </section>
          </div>
          <section id="panel-editor" className="panel" data-name="editor" aria-label="Editor">
            <EditorPanel />
          </section>
          <section id="panel-ai" className="panel" data-name="ai" aria-label="AI">
            <AiPanel />
          </section>
        </main>
        <TabBar />
        <Notices />
      </div>
    </Importer>
  );
}
