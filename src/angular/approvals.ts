import { Observable, type Subscriber } from 'rxjs';
import type { Approve, ToolApproval } from '../tools/execute.ts';
import type { ChatOptions } from './chat-types.ts';

/** Calls of tools that wait for a person. */
export class Approvals {
  readonly #waiting = new Map<string, Subscriber<ToolApproval>>();

  /** What a run asks. */
  asking(approve: NonNullable<ChatOptions['approve']>): Approve {
    return (call) => {
      const answer = approve === 'ask' ? approve : approve(call);
      return answer === 'ask' ? this.#answerTo(call.toolCallId) : answer;
    };
  }

  /** Nothing happens if the call does not wait (any more): a second click is no second answer. */
  answer(toolCallId: string, answer: ToolApproval): void {
    const subscriber = this.#waiting.get(toolCallId);
    subscriber?.next(answer);
    subscriber?.complete();
  }

  #answerTo(toolCallId: string): Observable<ToolApproval> {
    return new Observable((subscriber) => {
      this.#waiting.set(toolCallId, subscriber);
      return () => this.#waiting.delete(toolCallId);
    });
  }
}
