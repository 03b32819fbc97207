import type { NotificationRow, NotificationWords } from '@/features/activity/notification-words';

type Data = Record<string, unknown>;

const text = (data: Data, key: string): string | undefined => {
  const value = data[key];
  return typeof value === 'string' && value ? value : undefined;
};

const reasons: Record<string, string> = {
  ABUSIVE_CONTENT: 'its content looked abusive',
  INCORRECT_CATEGORY: 'its category doesn’t fit',
  INVALID_FORMAT: 'its format isn’t valid',
  PROMOTIONAL: 'it promotes something, which its category may not',
  SCAM: 'it looked like a scam',
  TAG_CONTENT_MISMATCH: 'its language or category doesn’t match its words',
  CATEGORY_NOT_AVAILABLE: 'its category isn’t open to your account',
};

const asked: Record<string, string> = {
  submit: 'submitting',
  edit: 'changing',
  delete: 'deleting',
};

/** What Meta decided about a template, or what went wrong on the way there; each leads to the template. */
export function templateNotification({
  kind,
  data,
}: Pick<NotificationRow, 'kind' | 'data'>): NotificationWords {
  const bag: Data = typeof data === 'object' && data !== null ? (data as Data) : {};
  return { icon: 'template', templateId: text(bag, 'template_id'), ...wordsOf(kind, bag) };
}

function wordsOf(kind: string, data: Data): { title: string; detail: string } {
  const name = `“${text(data, 'name') ?? 'A template'}”`;
  const reason = reasons[text(data, 'reason') ?? ''];
  const to = text(data, 'to') ?? 'another category';
  switch (kind) {
    case 'template.approved':
      return { title: 'Template approved', detail: `Meta approved ${name}. You can send it now.` };
    case 'template.rejected':
      return {
        title: 'Template rejected',
        detail: `Meta rejected ${name}${reason ? `: ${reason}` : ''}. Change it and submit it again.`,
      };
    case 'template.paused':
      return {
        title: 'Template paused',
        detail: `Meta paused ${name} because of low quality. It can’t be sent for some hours.`,
      };
    case 'template.disabled':
      return { title: 'Template disabled', detail: `${name} can’t be sent any more. Its page says why.` };
    case 'template.category_changed':
      return {
        title: 'Template’s category changed',
        detail: `Meta made ${name} ${to}. Its price and who may get it follow.`,
      };
    case 'template.category_warned':
      return {
        title: 'Template’s category will change',
        detail: `Meta will make ${name} ${to} unless its content changes.`,
      };
    case 'template.failed':
      return {
        title: 'Meta didn’t take the template',
        detail: `Something went wrong while ${asked[text(data, 'action') ?? ''] ?? 'changing'} ${name}. Its page says what.`,
      };
    default:
      return { title: 'News about a template', detail: `Something changed about ${name}.` };
  }
}
