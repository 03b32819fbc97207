import { fireEvent, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { type Template, templateSchema } from '../model';
import { draftKey, writeDraft } from './drafts';
import { Review } from './review';
import { useTemplateDraft } from './use-template-draft';
import { valuesOf } from './values';

const rpc = vi.hoisted(() => vi.fn());
const navigate = vi.hoisted(() => vi.fn(async () => {}));
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<object>()),
  backend: () => ({ rpc }),
}));
vi.mock('@tanstack/react-router', async (original) => ({
  ...(await original<object>()),
  useNavigate: () => navigate,
}));
vi.mock('@/features/whatsapp/queries', () => ({
  accountsQuery: () => ({ queryKey: ['accounts'], queryFn: () => [] }),
}));

const row = (text: string, updated_at: string): Template =>
  templateSchema.parse({
    id: 't1',
    org_id: 'o',
    waba_id: '1',
    name: 'sale',
    language: 'en_US',
    category: 'marketing',
    parameter_format: 'named',
    components: [{ type: 'BODY', text }],
    status: 'approved',
    wa_template_id: '9',
    created_at: '2026-11-23T10:00:00Z',
    updated_at,
  });

const onBack = vi.fn();

function Page({ template }: { template: Template }) {
  const draft = useTemplateDraft({
    orgId: 'o',
    userId: 'me',
    template,
    start: valuesOf(template),
    onCreated: () => {},
  });
  const problems = { problems: [], isChecking: false, error: null, retry: () => {} };
  return <Review orgId="o" draft={draft} problems={problems} onBack={onBack} onJump={() => {}} />;
}

const began = row('Hello', '2026-11-23T10:00:00Z');

beforeEach(() => {
  localStorage.clear();
  rpc.mockReset();
  navigate.mockClear();
  onBack.mockClear();
  writeDraft(draftKey('me', 't1'), {
    values: { ...valuesOf(began), body: 'Mine' },
    base: began.updated_at,
    saved: undefined,
  });
});

const send = () => fireEvent.click(screen.getByRole('button', { name: 'Send the change' }));

it('a change is sent on the version it was made on, and goes back to the editor when there is another', async () => {
  const theirs = row('Theirs', '2026-11-23T10:05:00Z');
  rpc.mockResolvedValue({
    data: null,
    error: { code: 'TEMPLATE_010', message: 'x', details: JSON.stringify({ template: theirs }) },
  });
  draw(<Page template={theirs} />);
  send();
  await waitFor(() => expect(onBack).toHaveBeenCalledOnce());
  expect(rpc).toHaveBeenCalledExactlyOnceWith(
    'update_template',
    expect.objectContaining({ p_expected_updated_at: '2026-11-23T10:00:00Z' }),
  );
  expect(navigate).not.toHaveBeenCalled();
});

it('a change on the newest version is sent once and not submitted on top', async () => {
  rpc.mockResolvedValue({
    data: { ...row('Mine', '2026-11-23T10:06:00Z'), status: 'pending' },
    error: null,
  });
  draw(<Page template={began} />);
  send();
  await waitFor(() => expect(navigate).toHaveBeenCalledOnce());
  expect(rpc.mock.calls.map(([name]) => name)).toEqual(['update_template']);
});

const draft = (text: string, updated_at: string): Template => ({
  ...row(text, updated_at),
  status: 'draft',
  wa_template_id: null,
});
const refusal = (theirs: Template) => ({
  data: null,
  error: { code: 'TEMPLATE_010', message: 'x', details: JSON.stringify({ template: theirs }) },
});

it.each([
  ['whose time alone moved is submitted', 'Hello', 1],
  ['of which somebody made another is not', 'Theirs', 0],
])('the version that was reviewed, %s', async (_, text, sent) => {
  localStorage.clear();
  const newer = draft(text, '2026-11-23T10:05:00Z');
  rpc
    .mockResolvedValueOnce(refusal(newer))
    .mockResolvedValue({ data: { ...newer, status: 'pending' }, error: null });
  draw(<Page template={draft('Hello', '2026-11-23T10:00:00Z')} />);
  fireEvent.click(screen.getByRole('button', { name: 'Submit to Meta' }));
  await waitFor(() => expect(navigate.mock.calls.length + onBack.mock.calls.length).toBe(1));
  expect(navigate).toHaveBeenCalledTimes(sent);
  expect(rpc.mock.calls.map(([name, asked]) => [name, asked.p_expected_updated_at])).toEqual(
    [
      ['submit_template', '2026-11-23T10:00:00Z'],
      ['submit_template', '2026-11-23T10:05:00Z'],
    ].slice(0, 1 + sent),
  );
});
