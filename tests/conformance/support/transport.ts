import ws from 'ws';

/** Node 20 has no WebSocket of its own. */
export const plainTransport = { transport: ws as never };
