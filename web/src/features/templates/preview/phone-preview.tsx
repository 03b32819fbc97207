import {
  IconArrowBackUp,
  IconCopy,
  IconExternalLink,
  IconFile,
  IconForms,
  IconList,
  IconMapPin,
  IconPhone,
  IconPhoto,
  IconShoppingBag,
  IconVideo,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { mediaLinkQuery } from '../media';
import { Marked } from './marked';
import classes from './preview.module.css';
import type { Rendered, RenderedButton, RenderedCard, RenderedHeader } from './rendered';

interface PhonePreviewProps {
  /** What `render_template` gives. */
  rendered: Rendered;
  /** Who it seems to come from; the business in general when absent. */
  sender?: string;
  /** Said above the message, such as whose values are shown. */
  caption?: ReactNode;
  /** Only the message, without the phone around it. */
  bare?: boolean;
}

/** A template as a customer's phone shows it. */
export function PhonePreview({ rendered, sender = 'Your business', caption, bare }: PhonePreviewProps) {
  const message = <MessagePreview rendered={rendered} />;
  if (bare) return message;
  return (
    <figure className={classes.phone} aria-label="Preview on a phone">
      <div className={classes.top} aria-hidden>
        <span className={classes.avatar}>{sender.trim().charAt(0).toUpperCase() || 'B'}</span>
        <span className={classes.sender}>{sender}</span>
      </div>
      <div className={classes.screen}>
        {caption && <figcaption className={classes.caption}>{caption}</figcaption>}
        {message}
      </div>
    </figure>
  );
}

function MessagePreview({ rendered }: { rendered: Rendered }) {
  const { header, body, footer, buttons } = rendered;
  const cards = rendered.cards ?? [];
  return (
    <div className={classes.message}>
      <div className={classes.bubble}>
        <Header header={header} />
        <p className={classes.body} dir="auto" data-empty={!body || undefined}>
          {body ? <Marked text={body} /> : 'Your message appears here.'}
        </p>
        {footer && (
          <p className={classes.footer} dir="auto">
            {footer}
          </p>
        )}
        <Buttons buttons={buttons} />
      </div>
      {cards.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a strip that scrolls must be scrollable with keys
        <ul className={classes.cards} aria-label="Cards" tabIndex={0}>
          {cards.map((card, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: cards are known by their place
            <li key={index} className={classes.card}>
              <Card card={card} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Card({ card }: { card: RenderedCard }) {
  return (
    <>
      <Header header={card.header} />
      {card.body && (
        <p className={classes.body} dir="auto">
          <Marked text={card.body} />
        </p>
      )}
      <Buttons buttons={card.buttons} />
    </>
  );
}

const mediaIcons: Record<string, typeof IconFile> = {
  image: IconPhoto,
  gif: IconPhoto,
  video: IconVideo,
  document: IconFile,
  location: IconMapPin,
  product: IconShoppingBag,
};

const mediaNames: Record<string, string> = {
  image: 'Image',
  gif: 'GIF',
  video: 'Video',
  document: 'Document',
  location: 'Location',
  product: 'Product',
};

function Header({ header }: { header: RenderedHeader }) {
  if (!header) return null;
  if (header.kind === 'text') {
    return header.text ? (
      <p className={classes.headerText} dir="auto">
        {header.text}
      </p>
    ) : null;
  }
  return <Media key={header.link ?? header.media?.path ?? ''} header={header} />;
}

function Media({ header }: { header: NonNullable<RenderedHeader> }) {
  // A signed link runs out, and one of elsewhere may be gone: the kind is then shown instead.
  const [broken, setBroken] = useState(false);
  const { kind } = header;
  const ours = useQuery({ ...mediaLinkQuery(header.media?.path ?? ''), enabled: Boolean(header.media) });
  const link = header.link ?? ours.data;
  if (link && !broken && (kind === 'image' || kind === 'gif') && isShowable(link))
    return <img className={classes.media} src={link} alt="" onError={() => setBroken(true)} />;
  if (link && !broken && kind === 'video' && isShowable(link))
    return (
      <video className={classes.media} src={link} preload="metadata" muted onError={() => setBroken(true)} />
    );
  const Icon = mediaIcons[kind] ?? IconFile;
  return (
    <div className={classes.placeholder} data-kind={kind}>
      <Icon size={28} stroke={1.5} aria-hidden />
      <span dir="auto">
        {header.filename ?? header.text ?? nameOf(header.media?.path) ?? mediaNames[kind] ?? kind}
      </span>
    </div>
  );
}

/** A document shows under its name; other files only when nothing else is there to see. */
const nameOf = (path: string | undefined) => path?.split('/').at(-1);

/** Our own policy (CSP) lets a page show only what is in our storage or made in this page. */
const isShowable = (link: string) => !/^https?:/.test(link) || link.includes('/storage/v1/');

const buttonIcons: Record<string, typeof IconFile> = {
  quick_reply: IconArrowBackUp,
  url: IconExternalLink,
  phone_number: IconPhone,
  voice_call: IconPhone,
  copy_code: IconCopy,
  otp: IconCopy,
  flow: IconForms,
  catalog: IconShoppingBag,
  mpm: IconShoppingBag,
  request_contact_info: IconForms,
};

const SHOWN_OF_MANY = 2;
const MOST_SHOWN = 3;

/** WhatsApp shows up to three buttons; of more it shows two and a list. */
function Buttons({ buttons }: { buttons: RenderedButton[] }) {
  if (buttons.length === 0) return null;
  const shown = buttons.length > MOST_SHOWN ? buttons.slice(0, SHOWN_OF_MANY) : buttons;
  return (
    <ul className={classes.buttons} aria-label="Buttons">
      {shown.map((button, index) => {
        const kind = button.kind.toLowerCase();
        const Icon = buttonIcons[kind] ?? IconArrowBackUp;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: buttons are known by their place
          <li key={index} className={classes.button} title={button.url ?? button.phone ?? undefined}>
            <Icon size={16} aria-hidden />
            <span dir="auto">{button.text || 'Button'}</span>
          </li>
        );
      })}
      {shown.length < buttons.length && (
        <li className={classes.button}>
          <IconList size={16} aria-hidden />
          <span>See all options</span>
        </li>
      )}
    </ul>
  );
}
