import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { draw } from '@/test/render';
import { PhonePreview } from './phone-preview';
import { renderedSchema } from './rendered';

it('shows header, marked body, footer and buttons, and folds more than three buttons', () => {
  const button = (text: string) => ({ kind: 'quick_reply', text });
  draw(
    <PhonePreview
      sender="Lotus"
      rendered={renderedSchema.parse({
        header: { kind: 'text', text: 'Hello' },
        body: 'Hi *Aina*',
        footer: 'Reply STOP',
        buttons: ['Yes', 'No', 'Later', 'Never'].map(button),
        cards: null,
      })}
    />,
  );
  expect(screen.getByText('Aina').tagName).toBe('STRONG');
  expect(screen.getByText('Reply STOP')).toBeInTheDocument();
  expect(screen.getByText('See all options')).toBeInTheDocument();
  expect(screen.queryByText('Later')).not.toBeInTheDocument();
});

it('shows only the kind of media that the page may not fetch', () => {
  const { container } = draw(
    <PhonePreview
      rendered={renderedSchema.parse({
        header: { kind: 'image', link: 'https://elsewhere.example/a.jpg' },
        body: 'x',
        cards: [
          {
            header: { kind: 'video' },
            body: 'one',
            buttons: [{ kind: 'URL', text: 'Open', url: 'https://a.example' }],
          },
        ],
      })}
    />,
  );
  expect(container.querySelector('img')).toBeNull();
  expect(screen.getByText('Image')).toBeInTheDocument();
  expect(screen.getByTitle('https://a.example')).toHaveTextContent('Open');
});
