<?php
// What PHP runs before each script while it is caught: streams (file_get_contents and its like) go through our proxy.
// Beside it lies `where`; its fourth line is the proxy's address.
stream_context_set_default(['http' => ['proxy' => 'tcp://' . trim(file(__DIR__ . '/where')[3])]]);
