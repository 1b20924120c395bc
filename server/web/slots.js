// The connections that the lanes may hold, shared by all tabs of this page.
//
// A browser opens six connections to one origin over HTTP/1.1, for all of its tabs. If lanes took all of them, polls and
// publishing would wait behind streams that never end, in this tab and in every other. So whoever holds a connection
// first takes one of four locks, which the browser gives back when a tab is closed.

export const CONNECTIONS = 6;

/** Requests that an HTTP/2 connection to this server carries at a time. */
export const STREAMS = 100;

/** Whether this page came over HTTP/2, where all requests share a connection and none has to wait. */
export const isShared = performance.getEntriesByType('navigation')[0]?.nextHopProtocol === 'h2';

const SLOTS = ['1', '2', '3', '4'].map((number) => `pushoff connection ${number}`);

/** Locks need a secure context. Without them a tab knows only of itself, and has no more than four lanes that hold. */
const locks = navigator.locks;

/** Waits for a slot and resolves to what gives it back; never, once `signal` is aborted. */
export async function take(signal) {
  if (isShared || !locks) return () => {};
  const taken = Promise.withResolvers();
  const others = new AbortController();
  for (const name of SLOTS) {
    const attempt = new AbortController();
    for (const over of [signal, others.signal]) over.addEventListener('abort', () => attempt.abort());
    const held = locks.request(name, { signal: attempt.signal }, () => {
      // Two may be given at once.
      if (others.signal.aborted || signal.aborted) return null;
      others.abort();
      return new Promise((release) => { taken.resolve(release); });
    });
    held.catch(() => {});
  }
  return taken.promise;
}

/** How many slots this tab holds, and how many all tabs do. */
export async function usage(own) {
  if (!locks) return { own, all: own };
  const { held } = await locks.query();
  return { own, all: held.filter(({ name }) => SLOTS.includes(name)).length };
}
