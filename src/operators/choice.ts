import { checkNames, validChoice } from '../option-checks.ts';

/** Options of the operators that show one choice. */
export interface ChoiceOption {
  /** The choice to show, from 0. Default: 0. */
  readonly choice?: number | undefined;
}

/** The number of the choice, checked. */
export function resolveChoice(options: ChoiceOption, of: string, names: readonly string[] = ['choice']): number {
  checkNames(options, names, of);
  return validChoice(options.choice);
}
