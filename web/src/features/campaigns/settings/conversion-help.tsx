import { Button, Code, Collapse, CopyButton, List, Skeleton, Stack, Text } from '@mantine/core';
import { IconCheck, IconChevronDown, IconCopy } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { linkOriginQuery } from '@/features/templates/link-origin';
import { useOrg } from '@/features/tenancy/queries';
import { conversionExample } from './conversion-example';

/** How a website signs its callbacks, with a call that can be tried as it stands. */
export function ConversionHelp() {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <Stack gap="sm" align="stretch" w="100%">
      <div>
        <Button
          variant="default"
          aria-expanded={isOpen}
          aria-controls={id}
          rightSection={
            <IconChevronDown
              size={18}
              aria-hidden
              style={{ transform: isOpen ? 'rotate(180deg)' : undefined }}
            />
          }
          onClick={() => setOpen(!isOpen)}
        >
          How to sign a call
        </Button>
      </div>
      <Collapse id={id} expanded={isOpen} keepMounted={false}>
        <Call />
      </Collapse>
    </Stack>
  );
}

function Call() {
  const { orgId } = useOrg();
  const origin = useQuery(linkOriginQuery);
  if (origin.isError)
    return <LoadProblem error={origin.error} what="your address" onRetry={() => void origin.refetch()} />;
  if (!origin.data) return <Skeleton height={220} radius="md" role="status" aria-label="Loading" />;
  const example = conversionExample(origin.data, orgId);
  return (
    <Stack gap="sm">
      <List size="sm" spacing={6}>
        <List.Item>
          Say who it was by the <Code>phone</Code> of a contact. Or write <Code>{'{token}'}</Code> into the
          link of a button, as in <Code>https://shop.example.com/?ref={'{token}'}</Code>: whoever taps it
          brings one along, to be sent as <Code>token</Code> instead.
        </List.Item>
        <List.Item>
          <Code>v1</Code> is the HMAC-SHA256 of the time, a dot and the body, with your secret, in hex. A call
          is good for five minutes.
        </List.Item>
        <List.Item>
          <Code>external_id</Code> is your own and counts once: without an answer, send the same again. A
          second time is answered with <Code>CONVERSION_002</Code>.
        </List.Item>
        <List.Item>Call from your server. A page in a browser would show the secret to everybody.</List.Item>
      </List>
      <Text size="sm">
        Try it in bash or zsh with the number of one of your contacts. It asks for the secret and answers{' '}
        <Code>{'{"recorded":true}'}</Code>. The sale is recorded like any other: try it with a contact of your
        own.
      </Text>
      {/* Wrapped, so that nothing has to be scrolled sideways. */}
      <Code
        block
        bg="var(--op-surface)"
        bd="1px solid var(--op-border)"
        style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
      >
        {example}
      </Code>
      <CopyButton value={example}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            w="fit-content"
            leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
            onClick={copy}
          >
            {copied ? 'Copied' : 'Copy the example'}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
