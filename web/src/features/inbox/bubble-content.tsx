import { Anchor, Group, Text } from '@mantine/core';
import {
  IconFile,
  IconForms,
  IconHeadphones,
  IconHelpHexagon,
  IconMapPin,
  IconMicrophone,
  IconPhoto,
  IconShoppingBag,
  IconSticker,
  IconTemplate,
  IconUser,
  IconVideo,
} from '@tabler/icons-react';
import { Suspense } from 'react';
import { lazyPart } from '@/lib/lazy-part';
import { plural } from '@/lib/time';
import classes from './chat.module.css';
import { type Content, mediaName } from './content';
import { TextWithLinks } from './text-with-links';

const SentTemplate = lazyPart(
  async () => (await import('@/features/templates/send/sent-template')).SentTemplate,
);

const mediaIcons = {
  image: IconPhoto,
  video: IconVideo,
  audio: IconHeadphones,
  voice: IconMicrophone,
  document: IconFile,
  sticker: IconSticker,
};

export function BubbleContent({ content }: { content: Content }) {
  switch (content.kind) {
    case 'text':
      return <Words text={content.text} />;
    case 'media':
      return (
        <>
          <Attachment
            Icon={mediaIcons[content.media]}
            title={content.name ?? mediaName(content.media)}
            detail={[content.name ? mediaName(content.media) : undefined, content.detail]
              .filter(Boolean)
              .join(' · ')}
          />
          {content.caption && <Words text={content.caption} />}
        </>
      );
    case 'location':
      return (
        <>
          <Attachment Icon={IconMapPin} title={content.name ?? 'Location'} detail={content.address} />
          {content.url && (
            <Anchor
              href={content.url}
              target="_blank"
              rel="noopener noreferrer"
              c="inherit"
              underline="always"
              size="sm"
            >
              Open in Maps
            </Anchor>
          )}
        </>
      );
    case 'cards':
      return content.people.length === 0 ? (
        <Attachment Icon={IconUser} title="Contact card" />
      ) : (
        content.people.map((person, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: cards of one message never move
          <Attachment key={index} Icon={IconUser} title={person.name} detail={person.phones.join(', ')} />
        ))
      );
    case 'choice':
      return (
        <Attachment Icon={IconForms} title={content.title} detail={content.description ?? 'Chosen answer'} />
      );
    case 'order':
      return (
        <>
          <Attachment
            Icon={IconShoppingBag}
            title="Order"
            detail={[plural(content.items, 'item'), content.total].filter(Boolean).join(' · ')}
          />
          {content.note && <Words text={content.note} />}
        </>
      );
    case 'reaction':
      return <Words text={content.emoji ? `Reacted ${content.emoji}` : 'Removed a reaction'} />;
    case 'template':
      return content.text && content.templateId ? (
        <Suspense fallback={<Words text={content.text} />}>
          <SentTemplate templateId={content.templateId} body={content.text} values={content.values} />
        </Suspense>
      ) : content.text ? (
        <Words text={content.text} />
      ) : (
        <Attachment Icon={IconTemplate} title={content.name ?? 'Template'} detail="Template message" />
      );
    default:
      return (
        <Attachment
          Icon={IconHelpHexagon}
          title="This message can’t be shown here"
          detail={
            content.what
              ? `WhatsApp type: ${content.what.replaceAll('_', ' ')}`
              : 'Open WhatsApp on a phone to see it'
          }
        />
      );
  }
}

function Words({ text }: { text: string }) {
  return (
    <div className={classes.words} dir="auto">
      <TextWithLinks text={text} />
    </div>
  );
}

interface AttachmentProps {
  Icon: typeof IconFile;
  title: string;
  detail?: string;
}

function Attachment({ Icon, title, detail }: AttachmentProps) {
  return (
    <Group gap="sm" wrap="nowrap" className={classes.attachment}>
      <Icon size={24} stroke={1.6} aria-hidden style={{ flex: 'none' }} />
      <div style={{ minWidth: 0 }}>
        <Text fw={600} dir="auto" style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Text>
        {detail && (
          <Text size="sm" c="inherit" style={{ overflowWrap: 'anywhere' }}>
            {detail}
          </Text>
        )}
      </div>
    </Group>
  );
}
