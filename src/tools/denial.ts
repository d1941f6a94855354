/** What the model is told of a call that was not allowed. */
export function denial(reason: string | undefined): string {
  return reason === undefined ? 'The user denied this call.' : `The user denied this call: ${reason}`;
}
