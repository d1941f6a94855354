/** Texts in pieces, and what operators on text make of them. */
import fc from 'fast-check';
import { Subject, type MonoTypeOperatorFunction } from 'rxjs';

/** What is shown after each piece, and last what is shown at the end. */
export function shownPerPiece(
  operator: MonoTypeOperatorFunction<string>,
  pieces: readonly string[],
): readonly (readonly string[])[] {
  const source = new Subject<string>();
  const shown: string[] = [];
  source.pipe(operator).subscribe((text) => shown.push(text));
  const perPiece = pieces.map((piece) => {
    source.next(piece);
    return shown.splice(0);
  });
  source.complete();
  return [...perPiece, shown];
}

/** All that is shown of a text in pieces. */
export function shownOf(operator: MonoTypeOperatorFunction<string>, pieces: readonly string[]): readonly string[] {
  return shownPerPiece(operator, pieces).flat();
}

/** Any text of these units, cut anywhere, also inside of a unit or twice at one place. */
export function inPieces(units: readonly string[], maxUnits = 40): fc.Arbitrary<readonly string[]> {
  return fc
    .tuple(fc.array(fc.constantFrom(...units), { maxLength: maxUnits }), fc.array(fc.nat(4 * maxUnits)))
    .map(([chosen, cuts]) => {
      const text = chosen.join('');
      const places = cuts.map((cut) => cut % (text.length + 1)).sort((one, other) => one - other);
      return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
    });
}

/** The same, cut between characters alone. */
export function inWholePieces(units: readonly string[], maxUnits = 40): fc.Arbitrary<readonly string[]> {
  return fc.array(
    fc.array(fc.constantFrom(...units), { maxLength: 6 }).map((chosen) => chosen.join('')),
    { maxLength: Math.ceil(maxUnits / 4) },
  );
}

/** Whether one of the pieces begins or ends in the middle of a surrogate pair that they have together. */
export function splitsPair(pieces: readonly string[]): boolean {
  return pieces.some((piece, index) => {
    const next = pieces[index + 1] ?? '';
    return /[\ud800-\udbff]$/.test(piece) && /^[\udc00-\udfff]/.test(next);
  });
}
