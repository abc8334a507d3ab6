"""Text classification with EmbeddingBag and offsets; collate_fn, random_split, a Generator."""
from collections import Counter

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(0)
texts = ["good film", "bad film", "very good story", "awful bad story", "good good", "bad", "very awful film", "lovely story"]
labels = [1, 0, 1, 0, 1, 0, 0, 1]
counter = Counter(w for t in texts for w in t.split())
vocab = {w: i + 1 for i, (w, _) in enumerate(counter.most_common())}
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Reviews(Dataset):
    def __len__(self):
        return len(texts)

    def __getitem__(self, i):
        return labels[i], texts[i]


def collate_batch(batch):
    label_list, text_list, offsets = [], [], [0]
    for _label, _text in batch:
        label_list.append(_label)
        processed_text = torch.tensor([vocab[w] for w in _text.split()], dtype=torch.int64)
        text_list.append(processed_text)
        offsets.append(processed_text.size(0))
    label_list = torch.tensor(label_list, dtype=torch.int64)
    offsets = torch.tensor(offsets[:-1]).cumsum(dim=0)
    text_list = torch.cat(text_list)
    return label_list.to(device), text_list.to(device), offsets.to(device)


class TextClassificationModel(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, sparse=False)
        self.fc = nn.Linear(embed_dim, num_class)
        self.init_weights()

    def init_weights(self):
        initrange = 0.5
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.fc.weight.data.uniform_(-initrange, initrange)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


ds = Reviews()
split_train, split_valid = random_split(ds, [6, 2], generator=torch.Generator().manual_seed(42))
loader = DataLoader(split_train, batch_size=3, shuffle=True, collate_fn=collate_batch)
model = TextClassificationModel(len(vocab) + 1, 4, 2).to(device)
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=5.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.1)
for epoch in range(1, 4):
    model.train()
    total_acc, total_count = 0, 0
    for idx, (label, text, offsets) in enumerate(loader):
        optimizer.zero_grad()
        predicted_label = model(text, offsets)
        loss = criterion(predicted_label, label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        total_acc += (predicted_label.argmax(1) == label).sum().item()
        total_count += label.size(0)
        print("| epoch {:3d} | {:5d}/{:5d} batches | accuracy {:8.3f} | {:.4f}".format(epoch, idx, len(loader), total_acc / total_count, loss))
    scheduler.step()
print(model.embedding.weight.grad)
print(list(split_valid), model.state_dict().keys())
