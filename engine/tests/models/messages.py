"""Short messages of bank customers, simulated from templates, each with what the customer wants."""

import re

import numpy as np
import pandas as pd

INTENTS = {
    "card_lost": ["I {lost} my {card} {when}", "my {card} was {stolen} {where}", "please block my {card}, it is {stolen}"],
    "card_arrival": ["when will my new {card} arrive?", "I ordered a {card} {when} and it has not come",
                     "still waiting for the {card} you sent {when}"],
    "transfer_failed": ["my transfer of {amount} {failed} {when}", "the {payment} to {who} {failed}, why?",
                        "{payment} of {amount} to {who} never arrived"],
    "fraud": ["I do not know this {payment} of {amount}", "somebody paid {amount} with my {card} {where}",
              "{who} took {amount}, I never agreed to that {payment}"],
}
WORDS = {
    "lost": ["lost", "cannot find", "misplaced"],
    "card": ["card", "debit card", "credit card", "VISA", "Mastercard"],
    "when": ["yesterday", "last week", "two days ago", "on Monday", "this morning", "in March"],
    "stolen": ["stolen", "gone", "taken"],
    "where": ["in Prague", "in a shop", "at the station", "abroad", "in Łódź", "online"],
    "failed": ["failed", "was declined", "bounced", "did not go through"],
    "payment": ["payment", "transfer", "direct debit", "withdrawal", "standing order"],
    "who": ["my landlord", "my sister", "the electricity company", "Müller & Söhne", "an online shop"],
    "amount": ["20 EUR", "150 EUR", "1,200.50 EUR", "£35", "9.99", "five hundred"],
}
RARE = ["kindly", "asap!!", "https://example.org/help?id=7", "naïve", "n°12", "e-mail", "don't", "ΑΘΗΝΑ", "日本"]
OPENINGS = ["", "", "", "Hello, ", "Hi! ", "Good morning, ", "URGENT: "]
LENGTH = 16


def write(random: np.random.Generator, intent: str) -> str:
    pattern = INTENTS[intent][random.integers(len(INTENTS[intent]))]
    text = re.sub(r"{(\w+)}", lambda m: WORDS[m[1]][random.integers(len(WORDS[m[1]]))], pattern)
    return OPENINGS[random.integers(len(OPENINGS))] + text


def training() -> tuple[pd.DataFrame, np.ndarray]:
    """1,200 messages and their intents."""
    random = np.random.default_rng(3)
    intents = random.choice(list(INTENTS), 1200)
    return pd.DataFrame({"message": [write(random, intent) for intent in intents]}), intents


def scored(rows: int) -> pd.DataFrame:
    """Messages with words that training never saw, other cases, repeated words, odd spaces, and some that are empty."""
    random = np.random.default_rng(5)
    out = []
    for intent in random.choice(list(INTENTS), rows):
        text = write(random, intent)
        match random.integers(12):
            case 0:
                text = text.upper()
            case 1:
                text = f"{text} {RARE[random.integers(len(RARE))]}"
            case 2:
                text = f"{text} {text}"
            case 3:
                text = f"  {text.replace(' ', '  ')} \t"
            case 4:
                words = text.split()
                text = " ".join(words[i] for i in random.permutation(len(words)))
            case 5 if random.random() < 0.3:
                text = ["", " ", "?!", "x", "zzz qqq"][random.integers(5)]
        out.append(text)
    return pd.DataFrame({"message": np.array(out, dtype=object)})


def words(text: str) -> list[str]:
    return re.findall(r"\w\w+", text.lower())


def vocabulary() -> dict[str, int]:
    """Words of the training messages from 2 on; 0 is padding, 1 an unknown word."""
    known = sorted({word for text in training()[0]["message"] for word in words(text)})
    return {word: i + 2 for i, word in enumerate(known)}


def tokens(texts: pd.Series) -> pd.DataFrame:
    """The first words of each message as ids, padded with 0 at the end."""
    known = vocabulary()
    ids = np.zeros((len(texts), LENGTH), dtype=np.uint8)
    for row, text in enumerate(texts):
        found = [known.get(word, 1) for word in words(text)][:LENGTH]
        ids[row, :len(found)] = found
    return pd.DataFrame(ids, columns=[f"word_{i}" for i in range(LENGTH)])
