import { NativeSelect, Switch, Text, TextInput } from '@mantine/core';
import { variablesIn } from '../placeholders';
import { useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import type { ButtonKind, ButtonValues } from './values';

interface ButtonFieldsProps {
  /** `button.1`, or `card.0.button.1`. */
  place: string;
  button: ButtonValues;
  onChange: (change: Partial<ButtonValues>) => void;
  /** Links of cards are not tracked: a token belongs to the message's own buttons. */
  mayTrack?: boolean;
}

export const buttonNames: Record<ButtonKind, string> = {
  quick_reply: 'Quick reply',
  url: 'Website',
  phone_number: 'Phone call',
  copy_code: 'Copy code',
  flow: 'Form (WhatsApp Flow)',
  voice_call: 'WhatsApp call',
  request_contact_info: 'Ask for contact details',
  catalog: 'Catalogue',
  mpm: 'Products',
  otp: 'One-time code',
  other: 'Another kind',
};

/** Their words are WhatsApp's own. */
const withoutText: ButtonKind[] = ['copy_code', 'request_contact_info', 'other'];

export function ButtonFields({ place, button, onChange, mayTrack }: ButtonFieldsProps) {
  const { kind } = button;
  return (
    <div className={classes.buttonFields}>
      {!withoutText.includes(kind) && (
        <Line
          field={`${place}.text`}
          label="Label"
          limit={25}
          value={button.text}
          onChange={(text) => onChange({ text })}
          placeholder={kind === 'quick_reply' ? 'Yes, please' : kind === 'url' ? 'See your order' : undefined}
        />
      )}
      {kind === 'url' && <Website {...{ place, button, onChange, mayTrack }} />}
      {kind === 'phone_number' && (
        <Line
          field={`${place}.phone`}
          label="Phone number"
          description="With the country code"
          placeholder="+60312345678"
          value={button.phone}
          onChange={(phone) => onChange({ phone: phone.replaceAll(/[^\d+]/g, '') })}
        />
      )}
      {kind === 'copy_code' && (
        <Line
          field={`${place}.code`}
          label="Sample code"
          description="Each send gives its own. WhatsApp labels the button “Copy offer code”."
          limit={20}
          placeholder="SUMMER25"
          value={button.code}
          onChange={(code) => onChange({ code })}
        />
      )}
      {kind === 'flow' && (
        <>
          <Line
            field={`${place}.flowId`}
            label="Flow id"
            description="From WhatsApp Manager"
            value={button.flowId}
            onChange={(flowId) => onChange({ flowId: flowId.trim() })}
          />
          <Line
            field={`${place}.flowScreen`}
            label="First screen"
            description="Leave it empty for the flow’s own"
            value={button.flowScreen}
            onChange={(flowScreen) => onChange({ flowScreen: flowScreen.trim() })}
          />
        </>
      )}
      {kind === 'other' && (
        <Text size="sm" c="dimmed">
          “{button.text}” can’t be edited here; it stays as it is.
        </Text>
      )}
    </div>
  );
}

function Website({ place, button, onChange, mayTrack }: ButtonFieldsProps) {
  const { redirect } = useEditor();
  const hasVariable = variablesIn(button.url).length > 0;
  return (
    <>
      {button.tracked ? (
        <Line
          field={`${place}.destination`}
          label="Leads to"
          description="Each customer gets a link of their own that goes here and counts the click."
          placeholder="https://example.com/offers"
          value={button.destination}
          onChange={(destination) => onChange({ destination })}
          isUrl
        />
      ) : (
        <Line
          field={`${place}.url`}
          label="Address"
          description="May end in {{1}}, which each send fills in"
          placeholder="https://example.com/orders/{{1}}"
          value={button.url}
          onChange={(url) => onChange({ url })}
          isUrl
        />
      )}
      {!button.tracked && hasVariable && (
        <Line
          field={`${place}.urlSample`}
          label="Sample address"
          description="The whole address as one customer would get it"
          placeholder={button.url.replaceAll(/\{\{[^{}]*\}\}/g, 'A1042')}
          value={button.urlSample}
          onChange={(urlSample) => onChange({ urlSample })}
          isUrl
        />
      )}
      {mayTrack && (
        <Switch
          label="Track clicks"
          description="Campaigns then show who followed the link"
          checked={button.tracked}
          onChange={(event) =>
            onChange(
              event.currentTarget.checked
                ? {
                    tracked: true,
                    redirect: button.redirect || redirect,
                    destination: button.destination || (hasVariable ? '' : button.url),
                  }
                : { tracked: false, url: button.url || button.destination },
            )
          }
        />
      )}
    </>
  );
}

interface LineProps {
  field: string;
  label: string;
  description?: string;
  placeholder?: string;
  limit?: number;
  value: string;
  onChange: (value: string) => void;
  isUrl?: boolean;
}

function Line({ field, label, description, placeholder, limit, value, onChange, isUrl }: LineProps) {
  const { props, warning } = useField(field);
  return (
    <div>
      <TextInput
        {...props}
        label={label}
        description={description}
        placeholder={placeholder}
        value={value}
        dir={isUrl ? 'ltr' : 'auto'}
        spellCheck={!isUrl}
        autoComplete="off"
        onChange={(event) => onChange(event.currentTarget.value)}
        rightSectionWidth={limit && 64}
        rightSection={
          limit && (
            <Text size="xs" c={[...value].length > limit ? 'red' : 'dimmed'} aria-hidden>
              {[...value].length} / {limit}
            </Text>
          )
        }
      />
      <FieldWarning>{warning}</FieldWarning>
    </div>
  );
}

/** How a one-time code gets into the app that asked for it. */
export function CodeButtonFields({ place, button, onChange }: ButtonFieldsProps) {
  const text = useField(`${place}.text`);
  return (
    <div className={classes.buttonFields}>
      <NativeSelect
        {...text.props}
        label="How the code gets into your app"
        value={button.otpType}
        onChange={(event) => onChange({ otpType: event.currentTarget.value as ButtonValues['otpType'] })}
        data={[
          { value: 'COPY_CODE', label: 'The customer copies it' },
          { value: 'ONE_TAP', label: 'One tap fills it in (Android app)' },
          { value: 'ZERO_TAP', label: 'It fills itself in (Android app)' },
        ]}
      />
      <FieldWarning>{text.warning}</FieldWarning>
      {button.otpType !== 'COPY_CODE' && (
        <>
          <Line
            field={`${place}.packageName`}
            label="Package name of the app"
            placeholder="com.example.app"
            value={button.packageName}
            onChange={(packageName) => onChange({ packageName: packageName.trim() })}
          />
          <Line
            field={`${place}.signatureHash`}
            label="Signature hash of the app"
            limit={11}
            value={button.signatureHash}
            onChange={(signatureHash) => onChange({ signatureHash: signatureHash.trim() })}
          />
        </>
      )}
    </div>
  );
}
