export { createRelay, type Relay } from './relay.ts';
export type { RelayCallInfo, RelayCompletion, RelayOptions, RelayTimeouts } from './options.ts';
export type { ParamRule, ParamType } from './params.ts';
export type { RelayOutcome } from './usage-meter.ts';
