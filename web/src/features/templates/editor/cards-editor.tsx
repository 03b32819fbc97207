import { Button, NativeSelect, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { ButtonFields, buttonNames } from './button-fields';
import { AddButton, ItemHead, swapped } from './buttons-editor';
import { fieldId, useEditor, useField } from './context';
import { dropSamples, moveSamples } from './convert';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { MediaField } from './media-field';
import { TextWithVariables } from './text-with-variables';
import { type ButtonKind, type CardValues, newButton, newId } from './values';

const MOST_CARDS = 10;
const MOST_BUTTONS = 2;
const kinds: ButtonKind[] = ['quick_reply', 'url', 'phone_number'];

/** Every card has the same parts: a button added or taken from one is added to or taken from all. */
export function CardsEditor() {
  const { values, change } = useEditor();
  const field = useField('cards');
  const { cards } = values;
  const set = (next: CardValues[]) => change({ cards: next });
  const edit = (id: string, more: Partial<CardValues>) =>
    set(cards.map((card) => (card.id === id ? { ...card, ...more } : card)));
  const add = () => {
    const like = cards[0];
    set([
      ...cards,
      {
        id: newId(),
        body: '',
        buttons: (like?.buttons ?? []).map((button) => newButton(button.kind, { text: button.text })),
      },
    ]);
  };
  return (
    <section aria-labelledby="cards-title" className={classes.group}>
      <div className={classes.groupHead} id={fieldId('cards')} tabIndex={-1}>
        <Text component="h3" id="cards-title" fw={600}>
          Cards
        </Text>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          disabled={cards.length >= MOST_CARDS}
          onClick={add}
        >
          Add card
        </Button>
      </div>
      <Text size="sm" c="dimmed">
        Two to ten cards under the message, side by side, each with a picture and the same kinds of buttons.
      </Text>
      {field.error && (
        <Text size="sm" c="var(--mantine-color-error)">
          {field.error}
        </Text>
      )}
      <FieldWarning>{field.warning}</FieldWarning>
      <div className={classes.tools}>
        <NativeSelect
          label="Every card shows"
          w={160}
          value={values.cardHeader}
          onChange={(event) =>
            change({
              cardHeader: event.currentTarget.value === 'video' ? 'video' : 'image',
              cards: cards.map(({ media: _, handle: __, ...card }) => card),
            })
          }
          data={[
            { value: 'image', label: 'An image' },
            { value: 'video', label: 'A video' },
          ]}
        />
        <div className={classes.bottom}>
          <AddButton
            buttons={cards[0]?.buttons ?? []}
            kinds={kinds}
            limit={MOST_BUTTONS}
            onAdd={(kind) =>
              set(cards.map((card) => ({ ...card, buttons: [...card.buttons, newButton(kind)] })))
            }
          />
        </div>
      </div>
      <ol className={classes.buttonList}>
        {cards.map((card, index) => (
          <li key={card.id} className={classes.buttonCard} id={fieldId(`card.${index}`)} tabIndex={-1}>
            <ItemHead
              title={`Card ${index + 1}`}
              name={`card ${index + 1}`}
              index={index}
              count={cards.length}
              onMove={(to) =>
                change({ cards: swapped(cards, index, to), samples: moveSamples(values.samples, index, to) })
              }
              onRemove={() =>
                change({
                  cards: cards.filter((each) => each.id !== card.id),
                  samples: dropSamples(values.samples, index),
                })
              }
            />
            <div className={classes.buttonFields}>
              <MediaField
                key={values.cardHeader}
                field={`card.${index}.media`}
                label={`${values.cardHeader === 'video' ? 'Video' : 'Image'} of card ${index + 1}`}
                kind={values.cardHeader}
                media={card.media}
                onChange={(media) => edit(card.id, { media, handle: undefined })}
              />
              <TextWithVariables
                field={`card.${index}.body`}
                place={`card.${index}.body`}
                label={`Text of card ${index + 1}`}
                text={card.body}
                onChange={(body) => edit(card.id, { body })}
                limit={160}
              />
              {card.buttons.map((button, position) => (
                <div key={button.id}>
                  <ItemHead
                    title={buttonNames[button.kind]}
                    name={`${buttonNames[button.kind]} of every card`}
                    index={position}
                    count={card.buttons.length}
                    onMove={(to) =>
                      set(cards.map((each) => ({ ...each, buttons: swapped(each.buttons, position, to) })))
                    }
                    onRemove={() =>
                      set(
                        cards.map((each) => ({
                          ...each,
                          buttons: each.buttons.filter((_, place) => place !== position),
                        })),
                      )
                    }
                  />
                  <ButtonFields
                    place={`card.${index}.button.${position}`}
                    button={button}
                    onChange={(more) =>
                      edit(card.id, {
                        buttons: card.buttons.map((each) =>
                          each.id === button.id ? { ...each, ...more } : each,
                        ),
                      })
                    }
                  />
                </div>
              ))}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
