"""What we ask of MongoDB's collections, inside a transaction or outside of any. No collection is known here."""

from collections.abc import Iterable, Sequence
from typing import Any

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]


class Scope:
    """The database inside one transaction, or outside of any: what we ask of its collections."""

    def __init__(self, database: AsyncDatabase[Document], session: AsyncClientSession | None = None) -> None:
        self._database = database
        self._session = session

    async def find(self, collection: str, condition: Document, fields: Sequence[str], **options: Any) -> list[Document]:
        """Return these fields, and `_id` only if it is among them, of the documents under `condition`."""
        shown = {"_id": False} | dict.fromkeys(fields, True)
        return await self._database[collection].find(condition, shown, session=self._session, **options).to_list()

    async def find_one(
        self, collection: str, condition: Document, fields: Sequence[str], **options: Any
    ) -> Document | None:
        """Return the first of them."""
        found = await self.find(collection, condition, fields, limit=1, **options)
        return found[0] if found else None

    async def aggregate(self, collection: str, stages: list[Document], **options: Any) -> list[Document]:
        """Return what comes out of a pipeline."""
        cursor = await self._database[collection].aggregate(stages, session=self._session, **options)
        return await cursor.to_list()

    async def insert(self, collection: str, documents: Sequence[Document]) -> None:
        """Insert documents, in order."""
        if documents:
            await self._database[collection].insert_many(documents, session=self._session)

    async def update(self, collection: str, condition: Document, change: Any, *, upsert: bool = False) -> int:
        """Change the first document under `condition`; return how many there were, or were made."""
        result = await self._database[collection].update_one(condition, change, upsert=upsert, session=self._session)
        return result.matched_count + (result.upserted_id is not None)

    async def update_each(self, collection: str, changes: Iterable[tuple[Document, Document]]) -> None:
        """Change, or make, the document under each condition, in order."""
        updates = [pymongo.UpdateOne(condition, change, upsert=True) for condition, change in changes]
        if updates:
            await self._database[collection].bulk_write(updates, session=self._session)

    async def change(self, collection: str, condition: Document, change: Document, **options: Any) -> Document | None:
        """Change the first document under `condition`; return it as it was."""
        return await self._database[collection].find_one_and_update(condition, change, session=self._session, **options)

    async def take(self, collection: str, condition: Document, fields: Sequence[str]) -> Document | None:
        """Delete the first document under `condition`; return these fields of it."""
        shown = {"_id": False} | dict.fromkeys(fields, True)
        return await self._database[collection].find_one_and_delete(condition, projection=shown, session=self._session)

    async def delete(self, collection: str, condition: Document) -> int:
        """Delete the documents under `condition`; return how many."""
        return (await self._database[collection].delete_many(condition, session=self._session)).deleted_count
