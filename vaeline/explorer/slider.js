// One latent: the browser's own range input, with its label and what its value means.
export default {
  template: `
    <div class="slide">
      <label :for="name">{{ name }}</label>
      <input type="range" :id="name" :min="-reach" :max="reach" step="0.1" :value="value" :aria-valuetext="words"
        @input="move($event.target.valueAsNumber)">
      <span aria-hidden="true">{{ words }}</span>
    </div>`,
  props: ["name", "reach", "start"],
  data() { return { value: this.start }; },
  computed: {
    words() { return (this.value > 0 ? "+" : "") + this.value.toFixed(1) + " sd"; },
  },
  methods: {
    move(value) { this.value = value; this.$emit("moved", value); },
  },
};
