import { wordsFor } from '@/lib/errors';
import type { Template } from './model';

interface Explained {
  title: string;
  /** What happened, and what to do about it. */
  text: string;
}

const rejections: Record<string, Explained> = {
  ABUSIVE_CONTENT: {
    title: 'Meta found the content abusive or threatening',
    text: 'Take out what could offend, threaten or mislead, then submit it again.',
  },
  INCORRECT_CATEGORY: {
    title: 'The category doesn’t fit the content',
    text: 'Choose the category that fits, usually Marketing when anything in it promotes, then submit it again.',
  },
  INVALID_FORMAT: {
    title: 'The format isn’t valid',
    text: 'Check the variables: none at the very start or end, each with a realistic sample, none side by side. Also check spelling and links, then submit it again.',
  },
  PROMOTIONAL: {
    title: 'It promotes something, in a category that may not',
    text: 'Take the promotion out, or change the category to Marketing, then submit it again.',
  },
  SCAM: {
    title: 'Meta thinks it could be a scam',
    text: 'Don’t ask for card numbers, passwords or ids. Say who you are, link only to your own website, then submit it again.',
  },
  TAG_CONTENT_MISMATCH: {
    title: 'The language or category doesn’t match the words',
    text: 'Write it all in the language you chose, or choose the language it is written in.',
  },
  CATEGORY_NOT_AVAILABLE: {
    title: 'Meta doesn’t offer this category to your account',
    text: 'Choose another category and submit it again.',
  },
};

const reasonOf = (template: Template): string | undefined => {
  const reason = [template.rejected_reason, template.status_reason].find((each) => each && each !== 'NONE');
  return reason ?? undefined;
};

/** A code of ours is put into words; Meta's own words stand as they are. */
export const problemWords = (problem: string | null | undefined): string | undefined => {
  if (!problem) return undefined;
  return /^[A-Z]+_\d{3}$/.test(problem) ? wordsFor({ code: problem }) : problem;
};

/** What a status means for people, beyond its badge; nothing when there is nothing to say. */
export function statusWords(
  template: Template,
): (Explained & { tone: 'info' | 'warning' | 'danger' }) | undefined {
  const { status, meta_status: meta } = template;
  const reason = reasonOf(template);
  const trouble = problemWords(template.problem);
  switch (status) {
    case 'draft':
      return trouble
        ? { tone: 'danger', title: 'Meta didn’t take it', text: `${trouble} Mend it, then submit it again.` }
        : undefined;
    case 'pending':
      return meta === 'IN_APPEAL'
        ? {
            tone: 'info',
            title: 'Meta is looking at it once more',
            text: 'The appeal usually takes a day or two.',
          }
        : {
            tone: 'info',
            title: 'Meta is reviewing it',
            text: 'Mostly a few minutes, at most a day. Nobody can change it meanwhile; this page tells when it is decided.',
          };
    case 'rejected': {
      const known = reason ? rejections[reason] : undefined;
      const said = trouble ?? (known ? undefined : reason);
      if (template.has_changes && !trouble)
        return {
          tone: 'info',
          title: 'Changed here, and not submitted yet',
          text: `Meta rejected it before: ${(known?.title ?? reason ?? 'no reason given').toLowerCase()}. Submit it again when it is ready.`,
        };
      return {
        tone: 'danger',
        title: known?.title ?? 'Meta rejected this template',
        text: [said, known?.text ?? 'Change it so that it follows Meta’s rules, then submit it again.']
          .filter(Boolean)
          .join(' '),
      };
    }
    case 'approved':
      if (trouble)
        return {
          tone: 'warning',
          title: 'Meta didn’t take the last change',
          text: `${trouble} What was approved before is still in use.`,
        };
      return meta === 'FLAGGED'
        ? {
            tone: 'warning',
            title: 'Meta has flagged it',
            text: 'Customers block or report it. Unless that improves, Meta disables it: send it to fewer people, or to those who asked for it.',
          }
        : undefined;
    default:
      return disabledWords(template, reason);
  }
}

function disabledWords(
  template: Template,
  reason: string | undefined,
): Explained & { tone: 'warning' | 'danger' } {
  switch (template.meta_status) {
    case 'PAUSED':
      return {
        tone: 'warning',
        title: 'Meta paused it because of low quality',
        text: 'It can’t be sent for some hours: three the first time, six the second. A third time disables it for good. Change its words, and send it only to those who want it.',
      };
    case 'LIMIT_EXCEEDED':
      return {
        tone: 'warning',
        title: 'Your account has too many templates',
        text: 'Delete templates you no longer use, then submit this one again.',
      };
    case 'ARCHIVED':
      return {
        tone: 'warning',
        title: 'Meta archived it after a year without use',
        text: 'It goes for good 28 days later. Duplicate it to use its words again.',
      };
    case 'PENDING_DELETION':
      return {
        tone: 'warning',
        title: 'It is being deleted at Meta',
        text: 'Messages on their way are still delivered.',
      };
    default:
      return {
        tone: 'danger',
        title: 'Meta disabled this template',
        text: `${reason && !rejections[reason] ? `${reason} ` : ''}It can’t be sent any more. Duplicate it and change what customers disliked, or ask Meta for a review in WhatsApp Manager.`,
      };
  }
}
