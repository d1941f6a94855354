import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/** A way to a site that remembers every byte that came back: what a browser has received, whatever it made of it. */
export class Wire {
  #received = '';
  readonly #server: Server;

  private constructor(port: number) {
    this.#server = createServer((browser) => {
      const site = connect(port, 'localhost');
      site.on('data', (bytes) => (this.#received += bytes.toString('latin1')));
      site.pipe(browser).pipe(site);
      for (const [one, other] of [
        [browser, site],
        [site, browser],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
  }

  static async to(url: string): Promise<Wire> {
    const wire = new Wire(Number(new URL(url).port));
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `http://localhost:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get received(): string {
    return this.#received;
  }

  /** Resolves when the last connection has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
