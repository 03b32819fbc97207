import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import { forwardRef } from 'react';

/** A link within the app, in the look of a link. */
export const TextLink = createLink(
  forwardRef<HTMLAnchorElement, AnchorProps & Omit<React.ComponentPropsWithoutRef<'a'>, keyof AnchorProps>>(
    (props, ref) => <Anchor ref={ref} underline="always" {...props} />,
  ),
);
