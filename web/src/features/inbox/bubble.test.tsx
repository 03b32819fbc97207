import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { message } from '@/test/rows';
import { Bubble, type BubbleActions } from './bubble';
import type { Message } from './model';
import type { Unsent } from './outbox';
import type { Said } from './thread';

function show(said: Said, quoted?: Message) {
  const actions: BubbleActions = {
    reply: vi.fn(),
    retryMessage: vi.fn(),
    retryUnsent: vi.fn(),
    discardUnsent: vi.fn(),
    jumpTo: vi.fn(),
  };
  const inbound = said.source === 'server' && said.message.direction === 'inbound';
  draw(
    <Bubble
      line={{ kind: 'bubble', key: 'k', said, side: inbound ? 'in' : 'out', first: true, last: true }}
      quoted={quoted}
      contactName="Aina"
      newest
      mayAnswer
      actions={actions}
    />,
  );
  return { actions, user: userEvent.setup() };
}

const ours = (more: Partial<Message>): Said => ({
  source: 'server',
  message: message({ direction: 'outbound', status: 'sent', body: 'Yes', ...more }),
});
const unsent = (more: Partial<Unsent>): Said => ({
  source: 'local',
  unsent: {
    clientKey: 'key-1',
    kind: 'text',
    body: 'Yes',
    createdAt: '2026-11-23T10:00:00Z',
    state: 'sending',
    ...more,
  },
});

describe('Bubble', () => {
  it.each([
    [{ status: 'pending' }, 'Sending'],
    [{ status: 'sent' }, 'Sent'],
    [{ status: 'delivered' }, 'Delivered'],
    [{ status: 'read' }, 'Read'],
    [{ status: 'sent', is_uncertain: true }, 'Confirming…'],
  ] as const)('says how far a message got: %j', (state, word) => {
    show(ours(state));
    expect(screen.getByText(word)).toBeInTheDocument();
  });

  it('tells in words why a message failed and offers another try', async () => {
    const { actions, user } = show(
      ours({ status: 'failed', error_code: '131026', error_message: 'Message Undeliverable.' }),
    );
    expect(screen.getByRole('alert')).toHaveTextContent('can’t receive it');
    expect(screen.queryByText(/Undeliverable/)).not.toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Retry' }));
    expect(actions.retryMessage).toHaveBeenCalledTimes(1);
  });

  it('never offers to send an uncertain message again', () => {
    show(ours({ status: 'failed', is_uncertain: true }));
    expect(screen.queryByRole('button', { name: 'Retry' })).not.toBeInTheDocument();
  });

  it('gives a message that could not leave back to the text box', async () => {
    const { actions, user } = show(unsent({ state: 'failed', errorCode: 'WA_005' }));
    expect(screen.getByRole('alert')).toHaveTextContent('24-hour window has closed');
    await user.click(screen.getByRole('button', { name: 'Retry' }));
    expect(actions.retryUnsent).toHaveBeenCalledWith('key-1');
    await user.click(screen.getByRole('button', { name: 'Back to the text box' }));
    expect(actions.discardUnsent).toHaveBeenCalledWith('key-1');
  });

  it('shows what a message answers and leads there', async () => {
    const { actions, user } = show(
      { source: 'server', message: message({ reply_to_message_id: 'message-0' }) },
      message({ id: 'message-0', body: 'We open at 10' }),
    );
    await user.click(screen.getByRole('button', { name: /We open at 10/ }));
    expect(actions.jumpTo).toHaveBeenCalledWith('message-0');
  });

  it('makes web addresses links and leaves everything else as written', () => {
    show({ source: 'server', message: message({ body: '<b>See</b> https://example.com/a?b=1.' }) });
    expect(screen.getByRole('link')).toHaveAttribute('href', 'https://example.com/a?b=1');
    expect(screen.getByRole('link')).toHaveAttribute('rel', expect.stringContaining('noopener'));
    expect(screen.getByText(/<b>See<\/b>/)).toBeInTheDocument();
  });

  it('says that a type cannot be shown', () => {
    show({
      source: 'server',
      message: message({ type: 'unsupported', body: null, payload: { meta_type: 'hologram' } }),
    });
    expect(screen.getByText(/can’t be shown/)).toBeInTheDocument();
    expect(screen.getByText(/hologram/)).toBeInTheDocument();
  });

  it('shows reactions', () => {
    show({ source: 'server', message: message({ reactions: { contact: { emoji: '❤️', at: 'x' } } }) });
    expect(screen.getByText('❤️')).toBeInTheDocument();
  });
});
