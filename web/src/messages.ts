// Generated from server/messages by `python -m server.messages.typescript`. Change it there.
export type JobState =
  | "queued" | "preparing" | "context_analysis" | "generating" | "post_processing" | "validating" | "paused"
  | "complete" | "failed" | "cancelled" | "needs_review" | "interrupted";
export type Strategy = "targeted" | "selective" | "full";
export type Mode = "auto" | "review" | "ask";
export type Component = Retain | Insert | Delete;
export type Id = string | number;
export interface Person { client: number; name: string; color: string; kind: "person" | "job"; file: string | null }
export interface FileInfo { file: string; path: string; version: number; length: number }
export interface Position { line: number; character: number }
export interface Selection { anchor: Position; head: Position }
export interface Retain { retain: number }
export interface Insert { insert: string }
export interface Delete { delete: number }
export interface Attempt {
  model: string; outcome: "answered" | "failed" | "broken" | "refused"; error: string; prompt_tokens: number;
  answer_tokens: number; cost: number | null; seconds: number; at_ms: number;
}
export interface Failure {
  at_ms: number; code: string; severity: "" | "notice" | "warning" | "error"; message: string; request: string;
  person: string; model: string; attempts: number; context_tokens: number;
}
export interface Job {
  job: string; kind: "job" | "put" | "import" | "restore"; prompt: string; asked_by: string; state: JobState;
  model: string; offline: boolean; mode: Mode; strategy: Strategy | null; client: number; color: string;
  created_ms: number; files: string[]; progress: number; eta_seconds: number | null; tokens: number;
  hunks_applied: number; hunks_pending: number; undone: boolean; can_undo: boolean; error: string | null;
  priority: "high" | "normal" | "low"; position: number | null; model_why: string; strategy_why: string;
  prompt_tokens: number; cost: number | null; attempts: Attempt[]; current_file: string | null;
  expected_tokens: number | null; eta_confidence: number | null; steers: string[]; findings: string[];
  request_id: string; error_code: string; severity: "" | "notice" | "warning" | "error"; cached: boolean;
  waits_for: string | null; failures: Failure[];
}
export interface ModelInfo { name: string; context_tokens: number; capabilities: string[] }
export interface Suggestion {
  suggestion: string; job: string; file: string | null; path: string; reason: string;
  kind: "hunk" | "new_file" | "whole_file" | "delete_file" | "rename_file"; before: string; current: string;
  after: string; anchor: string | null; end: string | null;
  state: "open" | "accepted" | "rejected" | "both" | "edited" | "merged" | "gone" | "replaced";
  answered_by: string | null;
  conflict: "none" | "overlapping_edits" | "same_file_different_content" | "structural_conflict";
  layer: "" | "lines" | "tokens" | "syntax"; choices: ("accept" | "reject" | "both" | "edit")[]; at_ms: number;
  answered_ms: number; gone: string; findings: string[];
}
export interface TouchedFile { path: string; by: string[] }
export interface VersionInfo {
  version: string; number: number; at_ms: number;
  cause: "job_started" | "job_ended" | "named" | "work" | "import" | "restore"; name: string; by: string;
  job: string | null; files: number; changed: number; touched: TouchedFile[]; stored_bytes: number;
}
export interface VersionFile { file: string; path: string; length: number; since: number }
export interface DiffLine { mark: "same" | "gone" | "new"; text: string }
export interface DiffHunk { before: number; after: number; lines: DiffLine[] }
export interface FileDiff {
  file: string; path: string; kind: "added" | "removed" | "renamed" | "changed"; before: string | null; added: number;
  removed: number; hunks: DiffHunk[]; whole: boolean;
}
export interface EditedBy { author: BlameAuthor; at_ms: number; inserted: number }
export interface EditedFile { file: string | null; path: string; by: EditedBy[] }
export interface BlameAuthor {
  kind: "person" | "job" | "undo" | "import" | "change" | "unknown"; author: string; name: string; job: string | null;
  model: string | null; prompt: string | null;
}
export interface BlameRange {
  start: Position; end: Position; offset: number; length: number; author: number; at_ms: number;
}
export interface SearchLine { line: number; text: string }
export interface SearchHit { file: string; path: string; score: number; why: string; lines: SearchLine[] }
export interface SentPiece {
  kind: "rules" | "project_rules" | "map" | "file" | "symbol" | "people" | "session" | "runtime"; name: string;
  form: "whole" | "summary" | "left_out"; why: string; tokens: number; score: number; pinned: boolean; reason: string;
}
export interface SentMessage { role: "system" | "user" | "assistant"; content: string }
export interface SentAsk {
  model: string; at_ms: number; strategy: string; strategy_why: string; tokens: number; budget: number;
  pieces: SentPiece[]; others: number; note: string; messages: SentMessage[];
  purpose: "answer" | "continuation" | "repair" | "cached" | "summary";
}

// What the server says.
export interface Welcome {
  type: "welcome"; room: string; version: string; you: Person; people: Person[]; files: FileInfo[]; jobs: Job[];
  suggestions: Suggestion[]; model: string | null; models: ModelInfo[]; saving: boolean; limits: Record<string, number>;
  hint: string;
}
export interface UserJoined { type: "user_joined"; person: Person }
export interface UserLeft { type: "user_left"; client: number; name: string }
export interface UserChanged { type: "user_changed"; person: Person }
export interface CursorMoved {
  type: "cursor_update"; client: number; name: string; file: string; path: string; position: Position;
  selection: Selection | null;
}
export interface TextChanged {
  type: "text_operation"; file: string; path: string; version: number; ops: Component[]; by: string;
}
export interface FileCreated { type: "file_created"; file: FileInfo }
export interface FileRenamed { type: "file_renamed"; file: string; path: string; before: string }
export interface FileDeleted { type: "file_deleted"; file: string; path: string }
export interface GenerationStarted { type: "generation_started"; id: Id | null; job: Job }
export interface GenerationProgress { type: "generation_progress"; job: Job; detail: string }
export interface GenerationToken { type: "generation_token"; job: string; path: string; text: string }
export interface GenerationComplete { type: "generation_complete"; job: Job }
export interface JobChanged { type: "job_changed"; job: Job }
export interface SuggestionAdded { type: "suggestion_added"; suggestion: Suggestion }
export interface SuggestionAnswered { type: "suggestion_answered"; suggestion: Suggestion }
export interface VersionAdded { type: "version_added"; version: VersionInfo }
export interface Saved { type: "saved"; count: number }
export interface NotSaved { type: "not_saved"; reason: string }
export interface People { type: "people"; id: Id | null; people: Person[] }
export interface FileList { type: "file_list"; id: Id | null; files: FileInfo[] }
export interface FileContent {
  type: "file_content"; id: Id | null; file: string; path: string; version: number; text: string;
}
export interface Applied {
  type: "applied"; id: Id | null; file: string | null; path: string | null; version: number | null;
}
export interface JobList { type: "job_list"; id: Id | null; jobs: Job[] }
export interface SuggestionList { type: "suggestion_list"; id: Id | null; suggestions: Suggestion[] }
export interface VersionList { type: "version_list"; id: Id | null; versions: VersionInfo[] }
export interface VersionSaved { type: "version_saved"; id: Id | null; version: VersionInfo }
export interface Comparison {
  type: "comparison"; id: Id | null; base: string; to: string | null; files: FileDiff[]; more: number;
}
export interface Restored { type: "restored"; id: Id | null; version: string; change: string | null; paths: string[] }
export interface ActivityReport {
  type: "activity_report"; id: Id | null; since_ms: number; last_seen_ms: number | null; now_ms: number;
  versions: VersionInfo[]; jobs: Job[]; suggestions: Suggestion[]; files: EditedFile[];
}
export interface BlameResult {
  type: "blame_result"; id: Id | null; file: string; path: string; authors: BlameAuthor[]; ranges: BlameRange[];
}
export interface SearchResult {
  type: "search_result"; id: Id | null; question: string; hits: SearchHit[]; files: number; indexed: number;
  semantic: boolean; note: string;
}
export interface SentResult { type: "sent_result"; id: Id | null; job: string; asks: SentAsk[] }
export interface Done { type: "done"; id: Id | null; message: string }
export interface Pong { type: "pong"; id: Id | null }
export interface HelpText { type: "help"; id: Id | null; lines: string[] }
export interface Error { type: "error"; id: Id | null; code: string; message: string; field: string | null }
export interface Goodbye { type: "goodbye"; reason: string; retry_ms: number | null }
export type AnyEvent =
  | Welcome | UserJoined | UserLeft | UserChanged | CursorMoved | TextChanged | FileCreated | FileRenamed | FileDeleted
  | GenerationStarted | GenerationProgress | GenerationToken | GenerationComplete | JobChanged | SuggestionAdded
  | SuggestionAnswered | VersionAdded | Saved | NotSaved | People | FileList | FileContent | Applied | JobList
  | SuggestionList | VersionList | VersionSaved | Comparison | Restored | ActivityReport | BlameResult | SearchResult
  | SentResult | Done | Pong | HelpText | Error | Goodbye;

// What a client may ask.
export interface Hello { type: "hello"; id?: Id | null; name?: string | null; color?: string | null }
export interface Who { type: "who"; id?: Id | null }
export interface Files { type: "files"; id?: Id | null }
export interface Read { type: "read"; id?: Id | null; file: string }
export interface TextOperation {
  type: "text_operation"; id?: Id | null; file: string; version: number; ops: Component[];
}
export interface Edit {
  type: "edit"; id?: Id | null; file: string; start: Position; end?: Position | null; text?: string;
}
export interface CreateFile { type: "create_file"; id?: Id | null; path: string; text?: string }
export interface RenameFile { type: "rename_file"; id?: Id | null; file: string; path: string }
export interface DeleteFile { type: "delete_file"; id?: Id | null; file: string }
export interface ChangeSettings {
  type: "change_settings"; id?: Id | null; title?: string | null; instructions?: string | null; mode?: Mode | null;
}
export interface CursorUpdate {
  type: "cursor_update"; id?: Id | null; file: string; position: Position; selection?: Selection | null;
}
export interface Generate {
  type: "generate"; id?: Id | null; prompt: string; files?: string[]; strategy?: Strategy | null; model?: string | null;
  mode?: Mode | null; priority?: "high" | "normal" | "low"; fresh?: boolean;
}
export interface Jobs { type: "jobs"; id?: Id | null }
export interface Cancel { type: "cancel"; id?: Id | null; job: string }
export interface Retry { type: "retry"; id?: Id | null; job: string }
export interface Pause { type: "pause"; id?: Id | null; job: string }
export interface Resume { type: "resume"; id?: Id | null; job: string }
export interface Steer { type: "steer"; id?: Id | null; job: string; prompt: string }
export interface Reorder {
  type: "reorder"; id?: Id | null; job: string; position?: number | null; priority?: "high" | "normal" | "low" | null;
}
export interface Undo { type: "undo"; id?: Id | null; job: string }
export interface Redo { type: "redo"; id?: Id | null; job: string }
export interface UndoMine { type: "undo_mine"; id?: Id | null }
export interface RedoMine { type: "redo_mine"; id?: Id | null }
export interface Suggestions { type: "suggestions"; id?: Id | null; all?: boolean }
export interface Answer {
  type: "answer"; id?: Id | null; suggestion: string; choice: "accept" | "reject" | "both" | "edit"; text?: string;
}
export interface AnswerAll {
  type: "answer_all"; id?: Id | null; job: string; path?: string | null; choice: "accept" | "reject";
}
export interface Update { type: "update"; id?: Id | null; update: string }
export interface History { type: "history"; id?: Id | null }
export interface SaveVersion { type: "save_version"; id?: Id | null; name: string }
export interface Compare { type: "compare"; id?: Id | null; base: string; to?: string | null; file?: string | null }
export interface Restore { type: "restore"; id?: Id | null; version: string; file?: string | null }
export interface Activity { type: "activity"; id?: Id | null; since_ms?: number | null }
export interface Ping { type: "ping"; id?: Id | null }
export interface Blame { type: "blame"; id?: Id | null; file: string }
export interface Search { type: "search"; id?: Id | null; question: string; most?: number }
export interface Sent { type: "sent"; id?: Id | null; job: string }
export interface Help { type: "help"; id?: Id | null }
export type AnyRequest =
  | Hello | Who | Files | Read | TextOperation | Edit | CreateFile | RenameFile | DeleteFile | ChangeSettings
  | CursorUpdate | Generate | Jobs | Cancel | Retry | Pause | Resume | Steer | Reorder | Undo | Redo | UndoMine
  | RedoMine | Suggestions | Answer | AnswerAll | Update | History | SaveVersion | Compare | Restore | Activity | Ping
  | Blame | Search | Sent | Help;

// POST /api/generate: its body, and the events of its stream.
export interface GenerateRequest {
  room: string; prompt: string; files?: string[]; strategy?: Strategy | null; model?: string | null; mode?: Mode | null;
  priority?: "high" | "normal" | "low"; fresh?: boolean; name?: string; detach?: boolean;
}
export interface ContextReady { type: "context_ready"; job: string; files: string[]; tokens: number }
export interface StrategyDetermined { type: "strategy_determined"; job: string; strategy: Strategy; why: string }
export interface Progress { type: "progress"; job: Job; detail: string }
export interface FileStart { type: "file_start"; job: string; path: string }
export interface Token { type: "token"; job: string; path: string; text: string }
export interface FileEnd { type: "file_end"; job: string; path: string; applied: number; pending: number }
export interface StreamConflict { type: "conflict"; job: string; suggestion: Suggestion }
export interface StreamError { type: "error"; job: string | null; code: string; message: string; field: string | null }
export interface StreamComplete { type: "complete"; job: Job }
export type AnyStreamEvent =
  | ContextReady | StrategyDetermined | Progress | FileStart | Token | FileEnd | StreamConflict | StreamError
  | StreamComplete;
