"""The plain path: causal language models of the library transformers behind the same trainer and samplers as
the decoder that is written out here. Rows are padded instead of packed, and samples decode with the library's
own cache: the results are the same, the speed is the library's."""
