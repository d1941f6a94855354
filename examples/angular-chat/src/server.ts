import { AngularAppEngine, createRequestHandler } from '@angular/ssr';

const engine = new AngularAppEngine();

/** Renders pages; `null` for what is none. The server around it is `server/main.ts`. */
export const reqHandler = createRequestHandler((request: Request) => engine.handle(request));
