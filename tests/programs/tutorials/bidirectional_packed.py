"""Sentences of different lengths, read both ways by a packed LSTM, are told apart."""

import torch
import torch.nn as nn
import torch.optim as optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(42)

sentences = [
    ("what a great film it was", 1),
    ("a great story", 1),
    ("i like it", 1),
    ("what a dull film", 0),
    ("i do not like the story at all", 0),
    ("it was bad", 0),
]
vocab = {"<pad>": 0}
for sentence, _ in sentences:
    for word in sentence.split():
        vocab.setdefault(word, len(vocab))


class Classifier(nn.Module):
    def __init__(self, vocab_size, embedding_dim, hidden_dim):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(hidden_dim * 2, 1)

    def forward(self, text, text_lengths):
        embedded = self.embedding(text)
        packed = pack_padded_sequence(embedded, text_lengths, batch_first=True)
        packed_output, (hidden, cell) = self.lstm(packed)
        hidden = torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)
        return torch.sigmoid(self.fc(hidden)), packed_output


batch = sorted(sentences, key=lambda pair: -len(pair[0].split()))
lengths = torch.tensor([len(sentence.split()) for sentence, _ in batch])
text = torch.zeros(len(batch), int(lengths.max()), dtype=torch.long)
for row, (sentence, _) in enumerate(batch):
    indices = [vocab[word] for word in sentence.split()]
    text[row, : len(indices)] = torch.tensor(indices)
labels = torch.tensor([label for _, label in batch]).float()
print(text)
print(lengths)

model = Classifier(len(vocab), 8, 6)
print(model)
optimizer = optim.Adam(model.parameters(), lr=0.02)
criterion = nn.BCELoss()
for epoch in range(1, 21):
    optimizer.zero_grad()
    predictions, packed_output = model(text, lengths)
    loss = criterion(predictions.squeeze(1), labels)
    loss.backward()
    optimizer.step()
    accuracy = (torch.round(predictions.squeeze(1)) == labels).float().mean()
    if epoch % 5 == 0:
        print(f"Epoch: {epoch:02} | Loss: {loss:.4f} | Acc: {accuracy.item() * 100:.2f}%")
padded, sizes = pad_packed_sequence(packed_output, batch_first=True)
print(padded.shape, sizes.tolist(), packed_output.batch_sizes)
