import { describe, expect, it } from 'vitest';
import { type Template, templateSchema } from './model';
import { statusWords } from './words';

const template = (more: Partial<Template>): Template =>
  templateSchema.parse({
    id: 't',
    org_id: 'o',
    waba_id: '1',
    name: 'sale',
    language: 'en_US',
    category: 'marketing',
    components: [],
    status: 'approved',
    created_at: '2026-11-23T10:00:00Z',
    updated_at: '2026-11-23T10:00:00Z',
    ...more,
  });

describe('statusWords', () => {
  it('says nothing of what needs nothing', () => {
    expect(statusWords(template({}))).toBeUndefined();
    expect(statusWords(template({ status: 'draft' }))).toBeUndefined();
  });

  it('explains each of Meta’s reasons, and says its own words for one it does not know', () => {
    for (const rejected_reason of [
      'ABUSIVE_CONTENT',
      'INCORRECT_CATEGORY',
      'INVALID_FORMAT',
      'PROMOTIONAL',
      'SCAM',
      'TAG_CONTENT_MISMATCH',
    ]) {
      const words = statusWords(template({ status: 'rejected', rejected_reason }));
      expect(words?.title).not.toContain('_');
      expect(words?.title).not.toBe('Meta rejected this template');
    }
    expect(
      statusWords(template({ status: 'rejected', rejected_reason: 'NONE', status_reason: 'Too shouty.' }))
        ?.text,
    ).toContain('Too shouty.');
  });

  it('tells what did not reach Meta, codes in words', () => {
    expect(statusWords(template({ status: 'draft', problem: 'TEMPLATE_005' }))?.text).toContain(
      'You already have a template with this name',
    );
    expect(statusWords(template({ problem: 'Invalid parameter' }))).toMatchObject({
      tone: 'warning',
      text: expect.stringContaining('Invalid parameter'),
    });
  });

  it('tells a pause from the end', () => {
    expect(statusWords(template({ status: 'disabled', meta_status: 'PAUSED' }))?.title).toContain('paused');
    expect(statusWords(template({ status: 'disabled', meta_status: 'DISABLED' }))?.tone).toBe('danger');
    expect(statusWords(template({ status: 'disabled', meta_status: 'PENDING_DELETION' }))?.title).toContain(
      'deleted',
    );
  });

  it('says that a rejected one was reworked', () => {
    const words = statusWords(template({ status: 'rejected', rejected_reason: 'SCAM', has_changes: true }));
    expect(words).toMatchObject({ tone: 'info', title: 'Changed here, and not submitted yet' });
  });
});
