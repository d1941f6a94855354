import type { PartialToolCall } from '../errors.ts';
import type { CompletionEvent, ToolCallEvent } from './event.ts';
import { JsonBrackets } from './json-brackets.ts';
import { continueFields, getOwn } from './merge.ts';
import { isFields, type Fields } from '../fields.ts';

interface Call {
  readonly index: number;
  /** As the server says. */
  id: string;
  /** As told at the start: a server's id that comes later is too late. */
  shownId: string;
  name: string;
  started: boolean;
  /** Pieces that came before the name. */
  held: string;
  text: string;
  readonly brackets: JsonBrackets;
  custom: boolean;
  extra: Fields | undefined;
}

/** A piece of a call, read out of whatever a server sent. */
interface Piece {
  readonly id: string;
  readonly serverIndex: number | undefined;
  readonly name: string;
  readonly text: string;
  readonly custom: boolean;
  readonly extra: Fields | undefined;
}

const EMPTY = '';

/**
 * The tool calls of one choice. OpenAI numbers the calls and names each once, in its first piece. Others send every call
 * with index 0 (Ollama), no index at all (Gemini), the id again in each piece, the name after the arguments or the
 * arguments as an object. A piece belongs to the call with its id, else with its index, else to the last one.
 */
export class ToolCalls {
  readonly #choice: number;
  readonly #completionId: string;
  readonly #calls: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #byServerIndex = new Map<number, Call>();

  constructor(choice: number, completionId: string) {
    this.#choice = choice;
    this.#completionId = completionId;
  }

  add(delta: unknown, emit: (event: CompletionEvent) => void): void {
    if (!isFields(delta)) return;
    const piece = readPiece(delta);
    const call = this.#callOf(piece) ?? this.#open(piece);
    if (piece.id !== EMPTY && call.id === EMPTY) {
      call.id = piece.id;
      this.#byId.set(piece.id, call);
    }
    if (piece.name !== EMPTY && !call.started) call.name = piece.name;
    call.custom ||= piece.custom;
    if (piece.extra !== undefined) continueFields((call.extra ??= {}), piece.extra);
    if (call.name === EMPTY) {
      call.held += piece.text;
      return;
    }
    if (!call.started) this.#start(call, emit);
    this.#continue(call, piece.text, emit);
  }

  /** The whole calls, when the stream has ended well. A call whose arguments are not whole is left out. */
  finish(emit: (event: CompletionEvent) => void): void {
    for (const call of this.#calls) {
      const text = call.text === EMPTY && !call.custom ? '{}' : call.text;
      if (!call.started || !(call.custom || isJson(text))) continue;
      const extra = call.custom ? { ...call.extra, type: 'custom' } : call.extra;
      const event: ToolCallEvent = {
        type: 'tool-call',
        choice: this.#choice,
        index: call.index,
        id: call.shownId,
        name: call.name,
        arguments: text,
        ...(extra === undefined ? undefined : { extra }),
      };
      emit(event);
    }
  }

  partial(): PartialToolCall[] {
    return this.#calls.map((call) => ({ id: this.#idOf(call), name: call.name, arguments: call.text + call.held }));
  }

  #callOf(piece: Piece): Call | undefined {
    const byIndex = piece.serverIndex === undefined ? undefined : this.#byServerIndex.get(piece.serverIndex);
    // Several calls may have one id, whose index then tells them apart.
    if (byIndex !== undefined && piece.id !== EMPTY && byIndex.id === piece.id) return byIndex;
    const byId = piece.id === EMPTY ? undefined : this.#byId.get(piece.id);
    if (byId !== undefined) return isNamedOtherwise(byId, piece) ? undefined : byId;
    const last = this.#calls.at(-1);
    const candidate = piece.serverIndex === undefined ? last : byIndex;
    return candidate !== undefined && !opensAnother(candidate, piece) ? candidate : undefined;
  }

  #open(piece: Piece): Call {
    const call: Call = {
      index: this.#calls.length,
      id: EMPTY,
      shownId: EMPTY,
      name: EMPTY,
      started: false,
      held: EMPTY,
      text: EMPTY,
      brackets: new JsonBrackets(),
      custom: piece.custom,
      extra: undefined,
    };
    this.#calls.push(call);
    if (piece.serverIndex !== undefined) this.#byServerIndex.set(piece.serverIndex, call);
    return call;
  }

  #start(call: Call, emit: (event: CompletionEvent) => void): void {
    call.started = true;
    call.shownId = this.#idOf(call);
    emit({ type: 'tool-call-start', choice: this.#choice, index: call.index, id: call.shownId, name: call.name });
    const held = call.held;
    call.held = EMPTY;
    this.#continue(call, held, emit);
  }

  #continue(call: Call, text: string, emit: (event: CompletionEvent) => void): void {
    if (text === EMPTY) return;
    call.text += text;
    call.brackets.add(text);
    emit({ type: 'tool-call-delta', choice: this.#choice, index: call.index, arguments: text });
  }

  /** A tool result must name its call, so one without an id gets one. OpenAI takes ids of up to 40 characters. */
  #idOf(call: Call): string {
    return (
      call.shownId || call.id || `call_${this.#completionId.slice(-24)}_${String(this.#choice)}_${String(call.index)}`
    );
  }
}

function isNamedOtherwise(call: Call, { name }: Piece): boolean {
  return name !== EMPTY && call.name !== EMPTY && name !== call.name;
}

/** Whether a piece that lands on `call` by its index (or by being last) is really the first piece of the next call. */
function opensAnother(call: Call, piece: Piece): boolean {
  if (piece.name === EMPTY || call.name === EMPTY) return false;
  // Some servers make up a new id, or repeat the name, in every piece: only a piece that could begin a call opens one.
  if (piece.id !== EMPTY && call.id !== EMPTY && piece.id !== call.id) return true;
  if (piece.name !== call.name) return true;
  return piece.text.startsWith('{') && call.brackets.closed;
}

function readPiece(delta: Fields): Piece {
  let id = EMPTY;
  let serverIndex: number | undefined;
  let name = EMPTY;
  let text = EMPTY;
  let custom = false;
  let extra: Fields | undefined;
  for (const key of Object.keys(delta)) {
    const value = delta[key];
    if (key === 'id') id = typeof value === 'string' ? value : EMPTY;
    else if (key === 'index') serverIndex = Number.isInteger(value) ? (value as number) : undefined;
    else if (key === 'type') custom ||= value === 'custom';
    else if ((key === 'function' || key === 'custom') && isFields(value)) {
      custom ||= key === 'custom';
      name = asText(getOwn(value, 'name'));
      text = asText(getOwn(value, key === 'custom' ? 'input' : 'arguments'));
    } else if (value !== null && value !== undefined)
      continueFields((extra ??= {}), Object.fromEntries([[key, value]]));
  }
  return { id, serverIndex, name, text, custom, extra };
}

/** Some servers send the arguments as the object itself. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? EMPTY : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
