/** What the room's AI jobs and suggestions look like after each event of the server. */
import type { AnyEvent, Job, Suggestion } from "../messages";

export interface AiState {
  jobs: Job[];
  suggestions: Suggestion[];
  /** What a job is doing, in words, by job. */
  details: Record<string, string>;
  /** The end of what the model is writing, by job. */
  streams: Record<string, { path: string; text: string }>;
}

export const emptyAi: AiState = { jobs: [], suggestions: [], details: {}, streams: {} };

/** Characters of a stream that are kept for the preview. */
const PREVIEW = 4_000;

function newestFirst(jobs: Job[]): Job[] {
  return jobs.sort((a, b) => b.created_ms - a.created_ms || (a.job < b.job ? 1 : -1));
}

function withJob(state: AiState, job: Job): AiState {
  return { ...state, jobs: newestFirst([job, ...state.jobs.filter((one) => one.job !== job.job)]) };
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function withSuggestion(state: AiState, suggestion: Suggestion): AiState {
  const known = state.suggestions.some((one) => one.suggestion === suggestion.suggestion);
  const suggestions = known
    ? state.suggestions.map((one) => (one.suggestion === suggestion.suggestion ? suggestion : one))
    : [...state.suggestions, suggestion];
  return { ...state, suggestions };
}

/** The server's open suggestions replace ours; what was decided while this page was open stays to be seen. */
function replaceSuggestions(state: AiState, suggestions: Suggestion[]): AiState {
  const told = new Set(suggestions.map((one) => one.suggestion));
  const decided = state.suggestions.filter((one) => one.state !== "open" && !told.has(one.suggestion));
  return { ...state, suggestions: [...decided, ...suggestions] };
}

/** The state after an event; the same object if the event does not concern it. */
export function reduceAi(state: AiState, event: AnyEvent): AiState {
  switch (event.type) {
    case "welcome":
      return replaceSuggestions({ ...state, jobs: newestFirst([...event.jobs]) }, event.suggestions);
    case "job_list":
      return { ...state, jobs: newestFirst([...event.jobs]) };
    case "suggestion_list":
      return replaceSuggestions(state, event.suggestions);
    case "generation_started":
    case "job_changed":
      return withJob(state, event.job);
    case "generation_progress":
      return withJob({ ...state, details: { ...state.details, [event.job.job]: event.detail } }, event.job);
    case "generation_token": {
      const before = state.streams[event.job];
      const text = before && before.path === event.path ? before.text + event.text : event.text;
      const stream = { path: event.path, text: text.slice(-PREVIEW) };
      return { ...state, streams: { ...state.streams, [event.job]: stream } };
    }
    case "generation_complete": {
      const id = event.job.job;
      return withJob({ ...state, details: without(state.details, id), streams: without(state.streams, id) }, event.job);
    }
    case "suggestion_added":
    case "suggestion_answered":
      return withSuggestion(state, event.suggestion);
    default:
      return state;
  }
}
