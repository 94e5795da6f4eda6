"""The life of images and studies: the only code that changes what one of them is.

A caller opens a `unit_of_work`, calls the functions of this folder, and leaves it. Each function
takes a step of an image or a study and notes domain events. One commit writes rows, events and
outbox together; workers are woken after it.

Rows are locked in one order, so that nobody waits for each other: images before studies, each by
their numbers. The lock is FOR NO KEY UPDATE (`key_share`), which lets others refer to the row.

Folders outside read, and never write: states, flags, urgencies, reading keys and read marks.
"""
