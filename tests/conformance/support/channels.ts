import type { RealtimeChannel } from 'supabase-js-2109';
import { until } from './until';

/** What the server pushes about a channel itself. */
export interface SystemMessage {
  extension: string;
  status: 'ok' | 'error';
  message: string;
  channel: string;
}

/** A channel with everything it was told, in order. */
export class Watched {
  readonly statuses: string[] = [];
  readonly errors: string[] = [];
  readonly system: SystemMessage[] = [];

  constructor(readonly channel: RealtimeChannel) {
    channel.on('system', {}, (message: SystemMessage) => this.system.push(message));
    channel.subscribe((status, error) => {
      this.statuses.push(status);
      if (error) this.errors.push(error.message);
    });
  }

  /** Waits until the channel reports `status`, at the latest `deadlineMs` from now. */
  async reaches(status: string, deadlineMs?: number): Promise<this> {
    await until(
      `${this.channel.topic} is ${status}`,
      () => {
        if (this.statuses.includes(status)) return true;
        throw new Error(`so far ${this.statuses.join(', ') || 'silent'}; ${this.errors.join('; ')}`);
      },
      deadlineMs,
    );
    return this;
  }

  /** Waits for a system message of which `text` is a part. */
  async hears(text: string): Promise<SystemMessage> {
    return until(`${this.channel.topic} hears "${text}"`, () =>
      this.system.find(({ message }) => message.includes(text)),
    );
  }
}

/** Joins and waits until the server has agreed. */
export async function joined(channel: RealtimeChannel): Promise<Watched> {
  return new Watched(channel).reaches('SUBSCRIBED');
}

/**
 * Joins and waits until changes are followed: rows that are committed between SUBSCRIBED and this message reach nobody.
 */
export async function following(channel: RealtimeChannel): Promise<Watched> {
  const watched = await joined(channel);
  await watched.hears('Subscribed to PostgreSQL');
  return watched;
}

/** Waits for the first element of a list that fits. */
export async function received<T>(what: string, list: T[], fits: (item: T) => boolean): Promise<T> {
  return until(what, () => list.find(fits)) as Promise<T>;
}
