variable "names" {
  description = "The names of resources.json, filled in."
  type = object({
    streams          = map(string)
    delivery_streams = map(string)
    roles            = map(string)
  })
}

variable "delivery" {
  description = "Firehose's S3 prefixes by stream."
  type = map(object({
    prefix       = string
    error_prefix = string
  }))
}

variable "buffer_mib" {
  description = "How much Firehose collects before it writes an object, in MiB."
  type        = number

  validation {
    condition     = var.buffer_mib >= 1 && var.buffer_mib <= 128
    error_message = "buffer_mib must be 1 to 128."
  }
}

variable "buffer_seconds" {
  description = "How long Firehose collects before it writes an object."
  type        = number

  validation {
    condition     = var.buffer_seconds >= 0 && var.buffer_seconds <= 900
    error_message = "buffer_seconds must be 0 to 900."
  }
}

variable "shards" {
  description = "Shards of each stream; 0 lets Kinesis scale by itself (on-demand)."
  type        = number
}

variable "retention_hours" {
  description = "Hours that the streams keep records."
  type        = number
}

variable "raw_bucket_arn" {
  description = "ARN of the bucket that the delivery streams write to."
  type        = string
}

variable "policy" {
  description = "What Firehose may do, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume Firehose's role, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
