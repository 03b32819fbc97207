import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Hint } from './problem';

/** A page whose feature a later release brings. It says so, and points to what works today. */
export function ComingPage({
  icon,
  title,
  children,
}: {
  icon: ReactNode;
  title: string;
  children: ReactNode;
}) {
  const navigate = useNavigate();
  return (
    <div style={{ paddingTop: '8vh' }}>
      <Hint
        icon={icon}
        title={title}
        action={
          <Button
            variant="default"
            onClick={() =>
              void navigate({
                to: '/conversations/{-$conversationId}',
                params: { conversationId: undefined },
              })
            }
          >
            Go to conversations
          </Button>
        }
      >
        {children}
      </Hint>
    </div>
  );
}
