import { act, fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createRef } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { conversation, message } from '@/test/rows';
import { Composer, type ComposerHandle } from './composer';

function show(more: Partial<Parameters<typeof Composer>[0]> = {}) {
  const onSend = vi.fn();
  const onSendTemplate = vi.fn();
  const ref = createRef<ComposerHandle>();
  const view = draw(
    <Composer
      ref={ref}
      userId="me"
      conversation={conversation()}
      findMessage={(id) => (id === 'message-1' ? message({ body: 'Is it open?' }) : undefined)}
      onSend={onSend}
      onSendTemplate={onSendTemplate}
      onTyping={() => {}}
      onStopped={() => {}}
      {...more}
    />,
  );
  return { onSend, ref, view, user: userEvent.setup() };
}

const box = () => screen.getByRole('textbox', { name: 'Message' });

describe('Composer', () => {
  it('sends with Enter, breaks the line with Shift+Enter', async () => {
    const { onSend, user } = show();
    await user.type(box(), 'one{Shift>}{Enter}{/Shift}two{Enter}');
    expect(onSend).toHaveBeenCalledExactlyOnceWith({ kind: 'text', body: 'one\ntwo', replyTo: undefined });
    expect(box()).toHaveValue('');
  });

  it('does not send while an input method composes a word', () => {
    const { onSend } = show();
    fireEvent.change(box(), { target: { value: '你' } });
    fireEvent.keyDown(box(), { key: 'Enter', isComposing: true });
    expect(onSend).not.toHaveBeenCalled();
    fireEvent.keyDown(box(), { key: 'Enter' });
    expect(onSend).toHaveBeenCalledTimes(1);
  });

  it('sends no blanks and nothing that is too long', async () => {
    const { onSend, user } = show();
    await user.type(box(), '   {Enter}');
    fireEvent.change(box(), { target: { value: 'x'.repeat(4_099) } });
    expect(screen.getByText('3 characters too many')).toBeInTheDocument();
    fireEvent.keyDown(box(), { key: 'Enter' });
    expect(screen.getByRole('button', { name: 'Send' })).toBeDisabled();
    expect(onSend).not.toHaveBeenCalled();
  });

  it('writes a note as a note, never as a message', async () => {
    const { onSend, user } = show();
    await user.click(screen.getByRole('radio', { name: 'Internal note' }));
    await user.type(screen.getByRole('textbox', { name: 'Internal note' }), 'VIP{Enter}');
    expect(onSend).toHaveBeenCalledExactlyOnceWith({ kind: 'note', body: 'VIP', replyTo: undefined });
  });

  it('keeps the draft of each conversation', async () => {
    const { user, view } = show();
    await user.type(box(), 'half');
    view.unmount();
    const other = show({ conversation: conversation({ id: 'conversation-2' }) });
    expect(box()).toHaveValue('');
    other.view.unmount();
    show();
    expect(box()).toHaveValue('half');
  });

  it('offers a template instead when the window is closed, and keeps what was written', async () => {
    const { user, view } = show();
    await user.type(box(), 'half');
    view.unmount();
    show({ conversation: conversation({ window_expires_at: '2020-01-01T00:00:00Z' }) });
    expect(screen.queryByRole('textbox', { name: 'Message' })).not.toBeInTheDocument();
    expect(screen.getByText(/24-hour window expired/)).toBeInTheDocument();
    expect(screen.getByText(/“half”/)).toBeInTheDocument();
  });

  it('says why nothing can be sent while the number is not connected, but takes notes', async () => {
    const { user } = show({ blocked: 'This WhatsApp number isn’t connected.' });
    expect(screen.getByRole('status')).toHaveTextContent('isn’t connected');
    await user.click(screen.getByRole('radio', { name: 'Internal note' }));
    expect(screen.getByRole('textbox', { name: 'Internal note' })).toBeInTheDocument();
  });

  it('quotes the message it answers, until that is taken back', async () => {
    const { onSend, ref, user } = show();
    act(() => ref.current?.replyTo(message({ body: 'Is it open?' })));
    expect(screen.getByText(/Replying to “Is it open\?”/)).toBeInTheDocument();
    await user.type(box(), 'Yes{Enter}');
    expect(onSend).toHaveBeenLastCalledWith({ kind: 'text', body: 'Yes', replyTo: 'message-1' });
    act(() => ref.current?.replyTo(message()));
    await user.click(screen.getByRole('button', { name: 'Don’t quote this message' }));
    await user.type(box(), 'No{Enter}');
    expect(onSend).toHaveBeenLastCalledWith({ kind: 'text', body: 'No', replyTo: undefined });
  });

  it('takes back the text of a message that could not be sent', () => {
    const { ref } = show();
    act(() => ref.current?.restore('Try me again', 'reply'));
    expect(box()).toHaveValue('Try me again');
  });
});
